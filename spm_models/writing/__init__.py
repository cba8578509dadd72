"""What people write: each way to do it checks who speaks, about whom, and what, then adds one entry to the journal."""
