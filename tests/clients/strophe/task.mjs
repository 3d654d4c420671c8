// The task as the test hands it over.

export function task(transport) {
  const e = process.env;
  return {
    user: e.FINESSE_USER,
    password: e.FINESSE_PASSWORD,
    extension: e.FINESSE_EXTENSION,
    domain: e.FINESSE_DOMAIN,
    pubsub: e.FINESSE_PUBSUB,
    http: e.FINESSE_HTTP,
    service: transport === 'ws' ? e.FINESSE_WS : e.FINESSE_BOSH,
  };
}
