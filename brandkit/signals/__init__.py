"""FACTS: what is measured about an item and its story. No judgement in them.

One family a module: trust, mentions, copies, stories, spread, bursts, phases, forecast, coordination, risk,
sentiment. Each is a
public function on plain frames and a stage of the same name; ``assess.standard_pipeline`` is the
catalogue of stages.
"""
