"""Published figures as charts; results know no charts, charts know results."""
