/** CRC-16 with the polynomial x^16 + x^15 + x^2 + 1, lowest bit first. */

const POLYNOMIAL = 0xa001;

/** @param {Uint8Array} bytes */
export function crc16(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
  }
  return crc;
}
