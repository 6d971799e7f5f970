"""What granian serves on a site with its guards off. Never part of the product."""

from commontime.config.wsgi import application as product  # first: it sets Django up
from tests.security.weakened import weak

application = weak(product)
