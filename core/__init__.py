"""The foundation that both apps share: no models, and no imports of the apps."""
