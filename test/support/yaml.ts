import { exactYaml } from '../../lib/config/exact-yaml.js';
import { quickYaml } from '../../lib/config/quick-yaml.js';
import type { YamlDocument } from '../../lib/config/yaml-document.js';

/** As `readYaml` reads it, without waiting. */
export function yamlOf(text: string): YamlDocument {
  return quickYaml(text) ?? exactYaml(text);
}
