/** The configuration that is shipped for FreeSWITCH, as files of XML. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseXml, type XmlElement } from '@rgrove/parse-xml'

export const CONF = join(import.meta.dirname, '../../freeswitch-conf')

/** Every file, by its path below CONF. */
export const CONF_FILES = readdirSync(CONF, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.xml'))
  .sort()

export const confText = (file: string) => readFileSync(join(CONF, file), 'utf8')

/** @throws where it is not well-formed */
export const confXml = (file: string) => parseXml(confText(file)).root!

/** The children of that name. */
export const elements = (parent: XmlElement, name: string) =>
  parent.children.filter(
    (child): child is XmlElement => child.type === 'element' && (child as XmlElement).name === name,
  )

/** All of that name at any depth, itself included. */
export function everywhere(element: XmlElement, name: string): XmlElement[] {
  const below = element.children.filter(({ type }) => type === 'element')
  const found = below.flatMap(child => everywhere(child as XmlElement, name))
  return element.name === name ? [element, ...found] : found
}

export interface Extension {
  readonly name: string
  readonly expression: RegExp
  /** `application data`, in order. */
  readonly actions: readonly string[]
}

/** @throws where an extension has other than one condition, on the destination number */
export function extensionsOf(context: XmlElement): Extension[] {
  return elements(context, 'extension').map(extension => {
    const { name = '' } = extension.attributes
    const [condition, ...more] = elements(extension, 'condition')
    if (condition?.attributes['field'] !== 'destination_number' || more.length > 0) {
      throw new Error(`${name} has another condition`)
    }
    return {
      name,
      expression: new RegExp(condition.attributes['expression']!),
      actions: elements(condition, 'action').map(({ attributes }) =>
        `${attributes['application']} ${attributes['data'] ?? ''}`.trim(),
      ),
    }
  })
}
