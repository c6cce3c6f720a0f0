# The README's first command on Debian: `docker build -t dynamic-filters .`, then
#   docker run -v "$PWD/data:/app/data" -v "$PWD/checkpoints:/app/checkpoints" dynamic-filters task train
# For a GPU: `docker build --build-arg DEVICE=gpu`, and `docker run --gpus all`.
FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git python3-venv \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 1000 --create-home user \
  && install --directory --owner=user /app /runs
WORKDIR /app
COPY --chown=user . .
USER user
# all that is fetched is in the image: a node needs no network
ARG DEVICE=cpu
RUN ./deno install --frozen && ./deno task setup --device "$DEVICE"
VOLUME ["/app/data", "/app/checkpoints", "/runs"]
ENTRYPOINT ["./deno"]
CMD ["task", "train"]
