"""Raw rows in, one file per kind of source; what a row says is for ``normalise`` to judge."""
