import { expect, test } from 'vitest'
import { cleanFilename } from '../../src/images/gallery/filename.ts'

test('names from outside become text to show: no path, nothing invisible, one spelling, bounded', () => {
  const cases: [string, string][] = [
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\x', 'x'],
    ['/abs', 'abs'],
    ['C:\\x', 'x'],
    ['\\\\srv\\s', 's'],
    ['a%2f..%2fb', 'a%2f..%2fb'],
    ['a\0.jpg', 'a.jpg'],
    ['CON', 'CON'],
    ['.', 'otherwise'],
    ['..', 'otherwise'],
    ['', 'otherwise'],
    ['   ', 'otherwise'],
    ['folder/', 'otherwise'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['a\u200bb\u2066c.jpg', 'abc.jpg'],
    ['a\r\nb.jpg', 'ab.jpg'],
    ['a\ud800.jpg', 'a.jpg'],
    ['cafe\u0301.jpg', 'café.jpg'],
    ['😀.jpg', '😀.jpg'],
    ['a".jpg', 'a".jpg'],
    [';rm -rf.jpg', ';rm -rf.jpg'],
    ['شاي أخضر.png', 'شاي أخضر.png'],
    ['x'.repeat(4_096), 'x'.repeat(200)],
    ['😀'.repeat(300), '😀'.repeat(200)],
  ]
  expect(cases.map(([name]) => cleanFilename(name, 'otherwise'))).toEqual(cases.map(([, clean]) => clean))
})
