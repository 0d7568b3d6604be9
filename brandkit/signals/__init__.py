"""FACTS: what is measured about an item and its story. No judgement in them.

One family a module: trust, mentions, copies, stories, spread, bursts, phases, forecast, coordination,
risk, sentiment. Each is public functions on plain frames; what a run needs of it is a stage of the same
name, and ``assess.standard_pipeline`` is the catalogue of stages.
"""
