import { NO_ALERT_STATE } from '../rules/alert-evaluation.js';
import type { Outbox } from '../rules/outbox.js';
import { inflate } from './codec/envelope.js';
import { asList, asNumber, asObject, asText, parseJson } from './codec/json.js';
import { TextError } from './codec/text-error.js';
import type { Field } from './codec/field-codecs.js';

export const OUTBOX_V1_DICTIONARY = Buffer.from(
  '"expiresAt","number","max","answer","from","to","gap","wakeMs","restarts","transitions","status","was","now","endedAt"' +
    ',"troubles":{"webhook":{"since":-1,"failures":1,"nextAt":,"permanent":true,"message":"answered 404","dropped":1}}' +
    ',"missed":{"at":-60001,"length":300000}"pagerduty","telegram","discord","apprise","certificate","person_needed","reminder","missed","restart","slept"' +
    '"request timed out""connection refused""connection reset""name not found""certificate has expired""status 502, expected 200-299""status 503, expected 200-299"' +
    '["flapping"]["degraded"]["up"]["email":0]["ntfy":0]["webhook":0]{"alerts":[],"restarts":[[["id","target","at","number","max","to"],[' +
    '"troubles":{},"notes":[["told","transitions","certificate","sleptAt","lastRestartAt","restarts","failures","exhausted","events"' +
    '{"kind":"restart","at":-1,"answer":"answered 200"},{"kind":"alert","at":-1,"alert":"down"}' +
    '],[[],[null],[0],[false],[[]],"missed":null}' +
    '{"alerts":[["kind","target","startedAt","failures","message","id","at","to"],["down"],["api"],[-120001],[3],["status 500, expected 200-299"],["mk0ztj3w-100-1"],[-1],[{"slack":0}]],"restarts":[],"troubles":{},' +
    '"notes":[["id","told","transitions","events"],["api"],[{"status":"down","startedAt":-120001,"endedAt":null,"saidAt":-1,"to":["slack"],"remindedAt":-1}],[[-1]],[[{"kind":"alert","at":-1,"alert":"down"}]]],"missed":null}',
);

/**
 * The outbox from version 1 of its format, which Keepalive wrote up to 0.1.0 and for a time after it: the version, the
 * time of writing and JSON, a space between each, deflated, in base64. Alerts and alert states were tables: the names of the
 * properties, then a column for each, false where a row has no such property.
 * @param fields today's, which know how version 1 had each property in JSON
 * @throws TextError for what is no outbox in version 1
 */
export function readOutboxV1(source: string, fields: Field<Outbox>): Outbox {
  const text = inflate(source, OUTBOX_V1_DICTIONARY, 'the outbox');
  const [, version, now, json] = /^(\d{1,3}) (\d{1,16}) (.*)$/s.exec(text) ?? [];
  if (version !== '1' || json === undefined) throw new TextError('the outbox is in no version that ever was');
  const stored = new Map(asObject(parseJson(json, 'the outbox')));
  const troubles = asObject(stored.get('troubles'));
  const complete = {
    ...Object.fromEntries(stored),
    alerts: readTable(stored.get('alerts')).map(({ sentTo, knew, ...alert }) => ({
      ...{ alert, to: sentTo, alreadyTold: knew ?? [] },
    })),
    alertStates: readTable(stored.get('notes')).map(({ id, told = null, ...rest }) => ({
      id,
      state: { ...NO_ALERT_STATE, active: told, ...rest },
    })),
    undelivered: stored.get('undelivered') ?? droppedOf(troubles),
    moved: stored.get('moved') ?? {},
    slowPace: stored.get('slowPace') ?? null,
  };
  return fields.parse(complete, Number(now));
}

/** 0.1.0 counted the alerts that a channel never got with its trouble. */
function droppedOf(troubles: ReadonlyMap<string, unknown>): Record<string, number> {
  const counts = [...troubles].map(([channel, trouble]) => {
    const dropped = asObject(trouble).get('dropped');
    return [channel, dropped === undefined ? 0 : asNumber(dropped)] as const;
  });
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function readTable(table: unknown): Record<string, unknown>[] {
  const [names, ...columns] = asList(table);
  const properties = asList(names).map(asText);
  const values = columns.map(asList);
  return (values[0] ?? []).map((_, row) =>
    Object.fromEntries(
      properties
        .map((name, column) => [name, values[column]?.[row]] as const)
        .filter(([, value]) => value !== false),
    ),
  );
}
