/** Users, tokens and PINs from the command line, with a daemon and without. */
import t from 'tap'
import { shortDir, tollgate, words } from '../support/command-line.js'

// Passwords are slow to hash, on purpose.
t.setTimeout(240_000)

t.test('users, tokens and PINs', async t => {
  const dir = shortDir(t)
  const run = async (line: string, input = '') => {
    const ran = await tollgate(dir, words(line), { input })
    return { ...ran, json: line.includes('--json') && ran.code === 0 ? JSON.parse(ran.out) : {} }
  }
  const made = await run('user create anna --role admin')
  t.match(made, { code: 0, out: /link +http:\/\/127\.0\.0\.1:8080\/link\/[\w-]{43} \(good once/ })
  await run('plan create retail')
  await run('account create ALICE --plan retail --credit 5')
  t.match(await run('user create alice --role account_holder'), {
    code: 1,
    err: /which account the holder sees/,
  })
  t.match(await run('user create alice --role account_holder --account BOB'), {
    code: 1,
    err: /There is no account BOB/,
  })
  t.match(
    await run('user create alice --role account_holder --account ALICE --password -', 'short'),
    {
      code: 1,
      err: /10 to 200/,
    },
  )
  const typed = await run(
    'user create alice --role account_holder --account ALICE --password - --json',
    'a long password\n',
  )
  t.match(typed.json, { account: 'ALICE', has_password: true, password_link: null })
  t.match(await run('user create Anna --role operator'), { code: 1, err: /already a user anna/ })
  t.match(await run('user create ben --role king'), { code: 2 })
  t.match(
    (await run('user list')).out,
    /alice +account_holder +ALICE +enabled[\s\S]*anna +admin +- +no password yet/,
  )
  t.match((await run('user list --search ALI --json')).json, [{ name: 'alice' }])
  t.match((await run('user set alice --disable --json')).json, { enabled: false })
  t.match(await run('user password-link alice'), { code: 1, err: /disabled: enable him first/ })
  t.match(await run('user set alice --role operator --enable --json'), {
    json: { role: 'operator', account: null, enabled: true },
  })
  t.match(await run('user show nobody'), { code: 1, err: /There is no user nobody/ })
  t.match(await run('user delete alice'), { code: 1, err: /say so with --yes/ })
  t.match(await run('user delete alice --yes'), { code: 0 })

  const token = await run(
    'token create billing --role operator --scopes "money:write,calls:read" --json',
  )
  t.match(token.json, { token: /^tollgate_/, scopes: ['money:write', 'calls:read'] })
  t.match(await run('token create billing --role operator'), { code: 1, err: /already a token/ })
  t.match(await run('token create x --role read_only --scopes money:write'), {
    code: 1,
    err: /does not have the scope money:write/,
  })
  t.match((await run('token list')).out, /billing +operator +active/)
  t.match(await run('token revoke billing --yes'), { code: 0, out: /revoked/ })

  t.match(await run('account set-pin ALICE'), { code: 0, out: /pin +\d{6} \(it is not shown/ })
  t.match(await run('account set-pin ALICE --pin -', '1234\n'), { code: 0, out: /is set/ })
  t.match(await run('account set-pin BOB'), { code: 1, err: /no account BOB/ })
  t.match(await run('account set-pin ALICE --pin 12'), { code: 1, err: /4 to 12 digits/ })
  t.match(await run('account delete-pin ALICE --yes'), { code: 0 })

  const { json: audit } = await run('audit list --json')
  const actions = (audit as { action: string; actor: string }[]).map(({ action }) => action)
  for (const action of ['user.create', 'user.set', 'user.delete', 'token.revoke', 'pin.set']) {
    t.ok(actions.includes(action), `${action} is on record`)
  }
  t.notMatch(JSON.stringify(audit), /scrypt|tollgate_|link\//)

  const completed = async (...line: string[]) =>
    (await tollgate(dir, ['completion', 'answer'], { input: `${line.join('\n')}\n` })).out
  t.match(await completed('user', 'show', 'a'), /^anna\t/)
  t.match(await completed('token', 'revoke', ''), /^billing\t/)
})
