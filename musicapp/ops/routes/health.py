"""Whether the site is well: for supervisors, load balancers and operators."""

from __future__ import annotations

from flask import Response, jsonify

from musicapp.core.security import public
from musicapp.ops import queries
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """This process answers. Asks nobody else, so a slow database does not get the process killed."""
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/readyz")
@public
def readyz() -> Response:
    """Whether pages can be served: 503 where the database or the media store fails.

    What only makes things slower or later (Redis away, no worker, a full disk) is "degraded" and 200: taking the
    site out of the balancer for it would turn waiting into an outage.
    """
    readiness = queries.readiness()
    response = jsonify(status=readiness.status, parts=readiness.parts)
    response.status_code = 503 if readiness.status == "failing" else 200
    response.headers["Cache-Control"] = "no-store"
    return response
