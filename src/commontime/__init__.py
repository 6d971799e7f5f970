import os
import zoneinfo

# When clocks change is read from the package `tzdata`, as new as this product; a machine's own files may be years old. Whoever names files
# of their own (PYTHONTZPATH) is heard.
if not os.environ.get("PYTHONTZPATH"):
    zoneinfo.reset_tzpath(())
