"""Names static files by their content, so that browsers can cache them forever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also renames imports between scripts, so that each module has one URL and one instance."""

    support_js_module_import_aggregation = True
