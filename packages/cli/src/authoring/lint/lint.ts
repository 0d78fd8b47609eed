import { filesRule, hostsRule, moduleRule, pluginApiRule } from './file-rules.js'
import type { Finding, LintContext, PluginPackage, Rule } from './finding.js'
import { apiRangeRule, manifestRule, schemaRule } from './manifest-rules.js'
import { dependenciesRule, findableRule, metadataRule, namesRule, oclifRule, scriptsRule } from './package-rules.js'
import { secretRule } from './secret-rules.js'

const rules: readonly Rule[] = [
  manifestRule,
  schemaRule,
  secretRule,
  apiRangeRule,
  namesRule,
  metadataRule,
  findableRule,
  oclifRule,
  scriptsRule,
  dependenciesRule,
  filesRule,
  moduleRule,
  pluginApiRule,
  hostsRule,
]

/** Everything that would fail for users of a plugin, errors first. */
export async function lintPlugin(plugin: PluginPackage, context: LintContext): Promise<readonly Finding[]> {
  const findings = (await Promise.all(rules.map((rule) => rule(plugin, context)))).flat()
  const of = (level: Finding['level']) => findings.filter((finding) => finding.level === level)
  return [...of('error'), ...of('warning')]
}
