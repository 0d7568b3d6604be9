"""Speed as ratios measured in one run, and quality on labelled data. Not part of the package."""
