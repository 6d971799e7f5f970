"""What is done later: mails and long plans. It takes ids and fetches what they name."""
