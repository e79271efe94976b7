"""How static files are named: each by its content, so that browsers may keep it for good."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also in what scripts import from each other: one module, one address, one instance."""

    support_js_module_import_aggregation = True
