"""READING what was decided: queries on records and the frozen profile. Nothing here decides anew."""
