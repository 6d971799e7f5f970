"""What people can do with their account and their sign-ins: a module a subject."""
