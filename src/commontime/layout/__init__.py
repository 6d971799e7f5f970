"""Days, hours and lines as pages lay them out: values in, values out."""
