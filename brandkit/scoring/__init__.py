"""JUDGEMENT: signals to parts, parts to a total, the total through gates to a decision.

Nothing here reads text or looks at another item: a score is arithmetic on measured facts.
``MODIFIERS`` and ``score_parts`` are the catalogues: a new one is one entry there.
"""
