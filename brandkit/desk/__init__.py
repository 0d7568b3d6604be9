"""What people write: verdicts, story rules, story states; and what they are told: alerts."""
