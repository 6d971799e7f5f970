"""What people can do with their account, by subject."""
