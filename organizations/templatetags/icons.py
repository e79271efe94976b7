"""Caches heroicons' template tags: a list shows the same few icons often."""

from functools import lru_cache

from django import template
from heroicons.templatetags import heroicons

register = template.Library()
for draw in (heroicons.heroicon_micro, heroicons.heroicon_mini, heroicons.heroicon_outline):
    register.simple_tag(lru_cache(maxsize=500)(draw), name=draw.__name__)
