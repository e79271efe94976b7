"""Foundation shared by both apps. Has no models and doesn't import the apps."""
