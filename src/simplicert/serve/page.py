"""The page on which anybody can try an input."""

from simplicert.serve.service import Service


def render_page(service: Service) -> str:
    return "<title>Simplicert</title>"


def page_policy_of(service: Service) -> str:
    return "default-src 'none'"
