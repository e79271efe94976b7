"""A person's data as a download."""

from django.http import JsonResponse

from organizations.models import User


def as_file(user: User, data: object) -> JsonResponse:
    """The download; its name tells the person by their id only."""
    response = JsonResponse(data, json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{user.public_id}.json"'
    return response
