"""What people see: charts, tables, HTML, notebooks. Reads records; never computes a score."""
