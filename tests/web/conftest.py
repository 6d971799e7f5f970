from playwright.sync_api import expect

expect.set_options(timeout=20_000)  # what is awaited comes at once or never; only a busy machine takes longer than the usual five seconds
