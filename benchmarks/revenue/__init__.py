"""The parts of the revenue forecast benchmark: competition series, simulated companies, a CRM export."""
