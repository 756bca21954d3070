import sharp from 'sharp'
import { seeded } from './seed.ts'

const SIDE = 640

/** Shapes on a 640 × 640 card, one per category, so that a gallery looks like a shop's. */
const SHAPES: Record<string, (ink: string, shade: string) => string> = {
  Cables: (ink) =>
    `<path d="M150 420c0-260 340 60 340-200" fill="none" stroke="${ink}" stroke-width="26" stroke-linecap="round"/><rect x="462" y="150" width="56" height="80" rx="10" fill="${ink}"/><rect x="122" y="410" width="56" height="80" rx="10" fill="${ink}"/>`,
  Chargers: (ink, shade) =>
    `<rect x="210" y="230" width="220" height="250" rx="36" fill="${ink}"/><rect x="262" y="160" width="22" height="76" rx="8" fill="${shade}"/><rect x="356" y="160" width="22" height="76" rx="8" fill="${shade}"/><rect x="280" y="420" width="80" height="22" rx="11" fill="${shade}"/>`,
  'Power banks': (ink, shade) =>
    `<rect x="220" y="120" width="200" height="400" rx="40" fill="${ink}"/><circle cx="290" cy="180" r="10" fill="${shade}"/><circle cx="320" cy="180" r="10" fill="${shade}"/><circle cx="350" cy="180" r="10" fill="${shade}"/>`,
  Headphones: (ink, shade) =>
    `<path d="M170 380v-60a150 150 0 0 1 300 0v60" fill="none" stroke="${ink}" stroke-width="30"/><rect x="130" y="360" width="84" height="140" rx="38" fill="${shade}"/><rect x="426" y="360" width="84" height="140" rx="38" fill="${shade}"/>`,
  Speakers: (ink, shade) =>
    `<rect x="200" y="110" width="240" height="420" rx="44" fill="${ink}"/><circle cx="320" cy="390" r="88" fill="${shade}"/><circle cx="320" cy="390" r="36" fill="${ink}"/><circle cx="320" cy="210" r="46" fill="${shade}"/>`,
  Keyboards: (ink, shade) =>
    `<rect x="80" y="230" width="480" height="190" rx="24" fill="${ink}"/>${[0, 1, 2].map((row) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((key) => `<rect x="${102 + key * 49}" y="${250 + row * 50}" width="40" height="40" rx="7" fill="${shade}"/>`).join('')).join('')}`,
  Mice: (ink, shade) =>
    `<rect x="220" y="140" width="200" height="360" rx="100" fill="${ink}"/><path d="M320 140v150" stroke="${shade}" stroke-width="8"/><rect x="306" y="190" width="28" height="64" rx="14" fill="${shade}"/>`,
  Memory: (ink, shade) =>
    `<path d="M220 130h150l60 70v310h-210z" fill="${ink}"/>${[0, 1, 2, 3].map((pin) => `<rect x="${244 + pin * 36}" y="150" width="20" height="56" rx="5" fill="${shade}"/>`).join('')}`,
  Phones: (ink, shade) =>
    `<rect x="210" y="80" width="220" height="480" rx="38" fill="${ink}"/><rect x="226" y="116" width="188" height="400" rx="10" fill="${shade}"/>`,
  Tablets: (ink, shade) =>
    `<rect x="130" y="110" width="380" height="430" rx="30" fill="${ink}"/><rect x="154" y="136" width="332" height="378" rx="8" fill="${shade}"/>`,
  Monitors: (ink, shade) =>
    `<rect x="80" y="140" width="480" height="300" rx="18" fill="${ink}"/><rect x="98" y="158" width="444" height="252" fill="${shade}"/><rect x="290" y="440" width="60" height="60" fill="${ink}"/><rect x="220" y="496" width="200" height="20" rx="10" fill="${ink}"/>`,
  Routers: (ink, shade) =>
    `<rect x="120" y="340" width="400" height="120" rx="28" fill="${ink}"/><rect x="170" y="170" width="16" height="180" rx="8" fill="${shade}"/><rect x="454" y="170" width="16" height="180" rx="8" fill="${shade}"/><circle cx="180" cy="400" r="10" fill="${shade}"/><circle cx="220" cy="400" r="10" fill="${shade}"/>`,
}

/**
 * Returns a product card drawn from a seed: its bytes are always the same and differ from those of
 * every other seed. No text, since fonts may be missing.
 */
export function drawImage({ seed, category }: { seed: number; category: string }): Promise<Buffer> {
  const random = seeded(seed * 7919 + 13)
  const hue = Math.floor(random() * 360)
  const tilt = (random() * 14 - 7).toFixed(2)
  const size = (0.82 + random() * 0.2).toFixed(3)
  const shape = (SHAPES[category] ?? SHAPES.Chargers!)(
    `hsl(${(hue + 190) % 360} 34% ${22 + Math.floor(random() * 14)}%)`,
    `hsl(${(hue + 190) % 360} 42% ${64 + Math.floor(random() * 14)}%)`,
  )
  // A row of small marks, like a barcode, makes each card unique.
  const marks = Array.from(
    { length: 14 },
    (_, n) => `<rect x="${40 + n * 11}" y="578" width="${3 + Math.floor(random() * 5)}" height="26" fill="hsl(${hue} 15% 40%)"/>`,
  ).join('')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 640 640">
<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl(${hue} 30% 97%)"/><stop offset="1" stop-color="hsl(${hue} 26% 86%)"/></linearGradient></defs>
<rect width="640" height="640" fill="url(#g)"/><ellipse cx="320" cy="548" rx="210" ry="22" fill="hsl(${hue} 20% 74%)"/>
<g transform="translate(320 320) rotate(${tilt}) scale(${size}) translate(-320 -320)">${shape}</g>${marks}</svg>`
  return sharp(Buffer.from(svg)).flatten({ background: '#fff' }).jpeg({ quality: 82 }).toBuffer()
}
