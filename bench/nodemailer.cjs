// Sends mails as fast as Nodemailer's pool does, and prints the milliseconds.
const nodemailer = require("nodemailer");
const [host, port, connections, mails] = process.argv.slice(2);
const text = "Sehr geehrte Damen und Herren, anbei erhalten Sie Ihre Rechnung.\r\n".repeat(62);

async function main() {
  const begun = performance.now();
  const pool = nodemailer.createTransport({
    pool: true, host, port: Number(port), secure: false, ignoreTLS: true,
    maxConnections: Number(connections), maxMessages: Infinity,
  });
  await Promise.all(Array.from({ length: Number(mails) }, () => pool.sendMail({
    from: "Platform <noreply@platform.example>", to: "kunde@example.org", subject: "Ihre Rechnung", text,
  })));
  console.log(performance.now() - begun);
  pool.close();
}

main().catch((err) => { console.error(err.message); process.exit(1); });
