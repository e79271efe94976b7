"""URLs of the organization's own pages."""

from django.urls import path

from organizations.pages import general, home, invitations, members

app_name = "organizations"
_MEMBERS = "o/<slug:slug>/settings/members/"
urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("organizations/new/", home.NewOrganization.as_view(), name="new"),
    path("o/<slug:slug>/settings/", general.General.as_view(), name="general"),
    path("o/<slug:slug>/settings/expiry/", general.DefaultExpiry.as_view(), name="default-expiry"),
    path("invitations/<str:token>/", invitations.Accept.as_view(), name="accept"),
    path("o/<slug:slug>/settings/close/", general.Close.as_view(), name="close"),
    path("o/<slug:slug>/settings/leave/", members.Leave.as_view(), name="leave"),
    path(_MEMBERS, members.Members.as_view(), name="members"),
    path(f"{_MEMBERS}invite/", members.Invite.as_view(), name="invite"),
    path(f"{_MEMBERS}<uuid:member_id>/role/", members.ChangeRole.as_view(), name="role"),
    path(
        f"{_MEMBERS}invitations/<uuid:invitation_id>/",
        members.ChangeInvitation.as_view(),
        name="invitation",
    ),
]
