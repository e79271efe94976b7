"""The design page: every component of the pages in all its states, for staff."""

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.generic import View


class DesignView(View):
    """Not found for everyone but staff."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not admin.site.has_permission(request):
            raise Http404
        return render(request, "design/page.html")
