"""Sales performance workbench: win probability, revenue forecast and coaching."""

__version__ = "0.1.0"
