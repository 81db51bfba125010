/** `tollgate token …`: with what programs come to the API. */
import { type Command, Option } from 'commander'
import { OPERATOR_ROLES, SCOPES } from '../access/scopes.js'
import type { TokenJson, TokenWithSecret } from '../provisioning/tokens.js'
import { withActor } from './actor.js'
import { type Cli, examples, withYes } from './command.js'
import { type Column, type Drawing, formatRecord, formatTable, shortTime } from './terminal.js'

const LIST: readonly Column<TokenJson>[] = [
  { head: 'token', cell: token => token.name },
  { head: 'role', cell: token => token.role },
  { head: 'state', cell: token => token.state, state: true },
  { head: 'expires (UTC)', cell: token => shortTime(token.expires_at) },
  { head: 'last used (UTC)', cell: token => shortTime(token.last_used_at) },
  { head: 'scopes', cell: token => token.scopes.join(' '), flexible: true },
]

export function tokenCommands(noun: Command, cli: Cli): void {
  withActor(noun.command('create'))
    .description('Create a token for a program; it is shown once')
    .argument('<token-name>', 'the program, as it stands in the books: billing is token:billing')
    .addOption(
      new Option('--role <role>', 'what it may').choices(OPERATOR_ROLES).makeOptionMandatory(),
    )
    .option('--scopes <scopes>', `less than its role: of ${SCOPES.join(' ')}`)
    .option('--expires <time>', 'when it ends, like 2027-01-01')
    .addHelpText(
      'after',
      examples(
        'tollgate token create billing --role operator --scopes "accounts:read money:write"',
        'tollgate token create reports --role read_only --expires 2099-01-01',
      ),
    )
    .action(
      cli.action(
        async (session, { scopes, expires, actor, ...options }, name) => {
          const input = { name, role: options['role'], scopes, expires, actor }
          session.print(await (await session.access()).tokens.create(input), recordWithToken)
        },
        { mayCreate: true },
      ),
    )

  noun
    .command('list')
    .description('List the tokens, but never what they are')
    .addHelpText('after', examples('tollgate token list'))
    .action(
      cli.action(async session => {
        const tokens = await (await session.access()).tokens.list({})
        session.print(tokens, () => formatTable(LIST, tokens))
      }),
    )

  withYes(withActor(noun.command('revoke')))
    .description('Revoke a token for good')
    .argument('<token-name>')
    .addHelpText('after', examples('tollgate token revoke billing'))
    .action(
      cli.action(async (session, { actor }, name) => {
        await session.confirm(async () => {
          const tokens = await (await session.access()).tokens.list({})
          const token = tokens.find(one => one.name === name)
          return token ? `Revoke the token ${name} (${token.role})?` : null
        })
        session.print(await (await session.access()).tokens.revoke({ name, actor }), record)
      }),
    )
}

function recordWithToken({ token, ...rest }: TokenWithSecret): Drawing {
  return record(rest, { token: `${token} (it is not shown again)` })
}

function record(token: TokenJson, more: Record<string, string> = {}): Drawing {
  return formatRecord({
    name: token.name,
    role: token.role,
    scopes: token.scopes.join(' '),
    state: token.state,
    ...more,
    created: `${shortTime(token.created_at)} UTC by ${token.created_by}`,
    expires: token.expires_at === null ? 'never' : `${shortTime(token.expires_at)} UTC`,
  })
}
