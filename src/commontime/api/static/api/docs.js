/* Shows the OpenAPI text with Swagger UI; all of it comes from this server. */
SwaggerUIBundle({
  dom_id: "#operations",
  url: document.getElementById("operations").dataset.schema,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  validatorUrl: null,
});
