import { describe, expect, it } from 'vitest'
import { jumpsTo, parseJumps } from './route.js'
import { settingsOf } from './ssh-config.js'

function hostsTo(host: string, config: string): readonly string[] {
  const read = ({ host: alias, user }: { host: string; user?: string }) => settingsOf(config, alias, user)
  return jumpsTo({ host }, settingsOf(config, host, undefined).proxy, read).map(({ place }) => place.host)
}

describe('the way to a server', () => {
  it('goes through all jump hosts, and before the first through those of its own', () => {
    const config = 'Host nas\n ProxyJump b,c\nHost b\n ProxyJump a\nHost c\n ProxyJump ignored\n'
    expect(hostsTo('nas', config)).toEqual(['a', 'b', 'c'])
    expect(hostsTo('elsewhere', config)).toEqual([])
  })

  it('ends at a jump host for which its own rule holds too', () => {
    expect(hostsTo('nas', 'Host *\n ProxyJump bastion\n')).toEqual(['bastion'])
  })

  it('is refused where it goes in a circle, and where a jump host is reached by a command', () => {
    expect(() => hostsTo('a', 'Host a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump b\n')).toThrow(/circle/)
    expect(() => hostsTo('a', 'Host a\n ProxyJump b\nHost b\n ProxyCommand nc %h %p\n')).toThrow(
      /reaches b by ProxyCommand/,
    )
  })
})

describe('jump hosts', () => {
  it('are named as ssh names them', () => {
    expect(parseJumps('ann@bastion:2222,inner,ssh://bob@[::1]:22')).toEqual([
      { host: 'bastion', port: 2222, user: 'ann' },
      { host: 'inner' },
      { host: '::1', port: 22, user: 'bob' },
    ])
  })

  it.each(['', 'a,,b', 'ann:secret@bastion', 'a/b', 'a:port'])('are refused as %j, without repeating it', (text) => {
    expect(() => parseJumps(text)).toThrow('A jump host is not understood')
  })
})
