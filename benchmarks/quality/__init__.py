"""How good the methods are, on labelled data: one module a question."""
