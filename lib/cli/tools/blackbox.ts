import type { TargetOptionName } from '../../config/options.js';
import {
  Collector,
  fieldsOf,
  headersFor,
  listOf,
  literal,
  textOf,
  withLogin,
  type Imported,
  type ToolFields,
  type ToolValue,
} from './tool.js';

/** Scrape jobs of Prometheus (`scrape_configs`) with the modules of the blackbox exporter (`modules`) in one file. */
export function fromBlackbox(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  const modules = new Map(
    [...fieldsOf(top.get('modules'))].map(([name, module]) => [name, fieldsOf(module)]),
  );
  for (const job of listOf(top.get('scrape_configs')).map(fieldsOf)) {
    const named = textOf(listOf(fieldsOf(job.get('params')).get('module'))[0]) || 'http_2xx';
    const module: ToolFields = modules.get(named) ?? new Map([['prober', named.split('_')[0]]]);
    const addresses = listOf(job.get('static_configs')).flatMap((each) =>
      listOf(fieldsOf(each).get('targets')).map(textOf),
    );
    for (const address of addresses) {
      const options = new Map<TargetOptionName, ToolValue>([
        ['NAME', address.replace(/^\w+:\/\//, '').slice(0, 100)],
      ]);
      options.set('GROUP', textOf(job.get('job_name')));
      for (const [key, option] of [
        ['scrape_interval', 'INTERVAL'],
        ['scrape_timeout', 'TIMEOUT'],
      ] as const) {
        if (!job.has(key)) continue;
        options.set(option, textOf(job.get(key)));
        collector.count(true);
      }
      if (readModule(collector, address, module, options))
        collector.add(address.replace(/^\w+:\/\//, ''), options);
    }
  }
  return collector.result();
}

/** @returns whether it can be watched at all */
function readModule(
  collector: Collector,
  address: string,
  module: ToolFields,
  options: Map<TargetOptionName, ToolValue>,
): boolean {
  const prober = textOf(module.get('prober'));
  const set = (option: TargetOptionName, value: ToolValue): void => {
    options.set(option, value);
    collector.count(true);
  };
  if (!['http', 'tcp', 'dns', 'grpc'].includes(prober)) {
    collector.count(false, `${address}: the prober ${prober}`, 'watch a port with tcp://host:port instead');
    return false;
  }
  const own = fieldsOf(module.get(prober));
  const isTls = textOf(own.get('tls')) === 'true';
  const scheme =
    { http: 'http', tcp: isTls ? 'tls' : 'tcp', dns: 'dns', grpc: isTls ? 'grpcs' : 'grpc' }[prober] ??
    'http';
  set('URL', literal(address.includes('://') ? address : `${scheme}://${address}`));
  if (module.has('timeout')) set('TIMEOUT', textOf(module.get('timeout')));
  const regex = (value: unknown): string => literal(`/${textOf(value)}/`);
  for (const [key, value] of own) {
    const list = listOf(value);
    switch (key) {
      case 'method':
        set('METHOD', textOf(value));
        break;
      case 'body':
        set('BODY', literal(textOf(value)));
        break;
      case 'headers':
        set(
          'HEADERS',
          headersFor(
            collector,
            address,
            [...fieldsOf(value)].map(([header, content]) => [header, textOf(content)]),
          ),
        );
        break;
      case 'valid_status_codes':
        if (list.length > 0) set('EXPECT_STATUS', list.map(textOf));
        else collector.count(true);
        break;
      case 'accept_any_response':
        set('EXPECT_STATUS', textOf(value) === 'true' ? '100-599' : '200-299');
        break;
      case 'follow_redirects':
        set('MAX_REDIRECTS', textOf(value) === 'false' ? '0' : '10');
        break;
      case 'fail_if_body_matches_regexp':
        set(
          'REJECT_BODY',
          regex(list.length === 1 ? list[0] : list.map((each) => `(?:${textOf(each)})`).join('|')),
        );
        break;
      case 'fail_if_body_not_matches_regexp':
        set(
          'EXPECT_BODY',
          regex(list.length === 1 ? list[0] : list.map((each) => `(?=[^]*(?:${textOf(each)}))`).join('')),
        );
        break;
      case 'basic_auth':
        set('URL', withLogin(collector, address, textOf(options.get('URL'))));
        break;
      case 'bearer_token':
        set('HEADERS', {
          Authorization: `Bearer ${collector.secret(`${address}_TOKEN`, `the bearer token of ${address}`)}`,
        });
        break;
      case 'tls_config':
        for (const [setting, content] of fieldsOf(value)) {
          if (setting === 'insecure_skip_verify')
            set('TLS_VERIFY', textOf(content) === 'true' ? 'false' : 'true');
          else
            collector.count(
              false,
              `${address}: tls_config.${setting}`,
              'NODE_EXTRA_CA_CERTS adds authorities on one machine',
            );
        }
        break;
      case 'query_response': {
        const steps = list.map(fieldsOf);
        const [sent, expected] = ['send', 'expect'].map((name) =>
          steps.flatMap((step) => step.get(name) ?? []),
        );
        const isPlain = steps.length <= 2 && (sent?.length ?? 0) <= 1 && expected?.length === 1 && !isTls;
        collector.count(
          isPlain,
          `${address}: tcp.query_response`,
          'a target sends one line at most (docs/kinds.md)',
        );
        if (!isPlain) break;
        options.set('EXPECT_BODY', regex(expected[0]));
        if (sent?.[0] !== undefined)
          options.set('QUERY', literal(JSON.stringify(textOf(sent[0])).slice(1, -1)));
        break;
      }
      case 'query_name':
        set('QUERY', `${textOf(own.get('query_type')) || 'ANY'} ${textOf(value)}`);
        break;
      case 'query_type':
      case 'tls':
      case 'fail_if_ssl':
      case 'fail_if_not_ssl':
      case 'compression':
      case 'valid_http_versions':
      case 'preferred_ip_protocol':
      case 'ip_protocol_fallback':
        // What they ask for holds here in any case, or does not matter to whether a target answers.
        collector.count(true);
        break;
      case 'valid_rcodes':
        collector.count(
          list.every((each) => each === 'NOERROR'),
          `${address}: valid_rcodes`,
        );
        break;
      default:
        collector.count(false, `${address}: ${prober}.${key}`);
    }
  }
  return true;
}
