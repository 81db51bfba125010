/** Made-up rates of a made-up reseller: what he charges, and what his carrier charges him. */

/** Prefix, destination, the carrier's price a minute in hundredths of a cent. */
export const DESTINATIONS: readonly (readonly [prefix: string, name: string, price: number])[] = [
  ['1', 'USA and Canada', 60],
  ['1808', 'USA, Hawaii', 95],
  ['1907', 'USA, Alaska', 210],
  ['20', 'Egypt', 940],
  ['2010', 'Egypt, mobile Vodafone', 1020],
  ['212', 'Morocco', 2100],
  ['2126', 'Morocco, mobile', 4600],
  ['234', 'Nigeria', 780],
  ['254', 'Kenya', 1450],
  ['2547', 'Kenya, mobile Safaricom', 1380],
  ['27', 'South Africa', 420],
  ['2782', 'South Africa, mobile', 690],
  ['30', 'Greece', 120],
  ['3069', 'Greece, mobile', 310],
  ['31', 'Netherlands', 95],
  ['316', 'Netherlands, mobile', 240],
  ['32', 'Belgium', 130],
  ['324', 'Belgium, mobile', 330],
  ['33', 'France', 70],
  ['336', 'France, mobile', 190],
  ['337', 'France, mobile', 190],
  ['34', 'Spain', 75],
  ['346', 'Spain, mobile', 180],
  ['351', 'Portugal', 85],
  ['353', 'Ireland', 90],
  ['39', 'Italy', 95],
  ['393', 'Italy, mobile', 250],
  ['40', 'Romania', 70],
  ['41', 'Switzerland', 220],
  ['417', 'Switzerland, mobile', 890],
  ['43', 'Austria', 150],
  ['436', 'Austria, mobile', 310],
  ['44', 'United Kingdom', 65],
  ['4420', 'United Kingdom, London', 55],
  ['447', 'United Kingdom, mobile', 180],
  ['4470', 'United Kingdom, personal numbers', 3900],
  ['45', 'Denmark', 80],
  ['46', 'Sweden', 60],
  ['467', 'Sweden, mobile', 140],
  ['47', 'Norway', 70],
  ['48', 'Poland', 85],
  ['485', 'Poland, mobile', 150],
  ['49', 'Germany', 70],
  ['4915', 'Germany, mobile', 190],
  ['4916', 'Germany, mobile', 190],
  ['4917', 'Germany, mobile', 190],
  ['52', 'Mexico', 110],
  ['55', 'Brazil', 160],
  ['5511', 'Brazil, São Paulo', 95],
  ['60', 'Malaysia', 210],
  ['61', 'Australia', 120],
  ['614', 'Australia, mobile', 320],
  ['62', 'Indonesia', 480],
  ['63', 'Philippines', 1250],
  ['65', 'Singapore', 90],
  ['66', 'Thailand', 190],
  ['81', 'Japan', 240],
  ['82', 'South Korea', 150],
  ['84', 'Vietnam', 640],
  ['86', 'China', 130],
  ['90', 'Türkiye', 320],
  ['905', 'Türkiye, mobile', 1480],
  ['91', 'India', 175],
  ['92', 'Pakistan', 1150],
  ['966', 'Saudi Arabia', 980],
  ['971', 'United Arab Emirates', 1650],
  ['972', 'Israel', 95],
]

/** Prices of the carrier go up and down every month: the deck that is imported on the picture. */
export function carrierDeck(): string {
  const lines = DESTINATIONS.map(([prefix, name, price], i) => {
    const now = i % 5 === 0 ? price + 15 : i % 7 === 0 ? price - 10 : price
    return `${prefix},"${name}",${amount(now)},1,1`
  }).filter((_, i) => i !== 20)
  const added = ['998,Uzbekistan,0.094,1,1', '2779,"South Africa, mobile Cell C",0.071,1,1']
  return ['prefix,description,per_minute,minimum,increment', ...lines, ...added].join('\n')
}

/** Of hundredths of a cent. */
export function amount(price: number): string {
  const digits = String(price).padStart(5, '0')
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`
}
