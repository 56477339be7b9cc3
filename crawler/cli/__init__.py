"""The command line: the front door, and the only place that knows both halves of the flow."""
