"""Days, hours and lines as pages lay them out. Values in, values out."""
