def policies():
    """A row for each hook that a policy records, and for each of which it stops rows."""
    noted = context.execute("SELECT recording_id, boot_ns, detail FROM ledger WHERE kind = 'policy'", eager=True)
    for recording_id, boot_ns, detail in noted.rows():
        try:
            told = json.loads(detail or "")
        except ValueError:
            told = {}
        told = told if isinstance(told, dict) else {}
        stops = told.get("suppressing")
        tells = isinstance(stops, dict)
        lists = {"hooks": told.get("hooks")} | ({cause: stops.get(cause) for cause in ("rate_limit", "dedupe")} if tells else {})
        yield recording_id, boot_ns, "policy", "", int(tells)
        for name, hooks in lists.items():
            for hook in hooks if isinstance(hooks, list) else ():
                if isinstance(hook, str):
                    yield recording_id, boot_ns, name, hook, int(tells)


context.register(
    "policies",
    polars.DataFrame(
        list(policies()),
        schema={
            "recording_id": polars.String,
            "boot_ns": polars.Int64,
            "list": polars.String,
            "hook": polars.String,
            "tells_suppressed": polars.Int64,
        },
        orient="row",
    ),
)

