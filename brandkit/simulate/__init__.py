"""A seeded newsroom over days, with ground truth: sample data, benchmarks, property tests."""

from brandkit.simulate.week import FIRST_DAY, RAW_COLUMNS, SEED, Simulation, simulate, simulate_items

__all__ = ["FIRST_DAY", "RAW_COLUMNS", "SEED", "Simulation", "simulate", "simulate_items"]
