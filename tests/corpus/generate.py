#!/usr/bin/env python3
"""Writes `generated.jsonl`, `written.jsonl`, `field.jsonl`, `blind.jsonl`, `unseen.jsonl` and `fresh.jsonl`, the labelled corpus of `tests/corpus.rs`.

Shapes are those that providers and standards document, surroundings those in which people meet them. Nothing here reads
the rules. Seeded: the same lines come out every time. `written.txt`, `field.txt`, `blind.txt`, `unseen.txt` and `fresh.txt` hold lines
written by hand, those of the last two before anybody saw what the rules made of them; a secret is marked as [[rule|secret]]. A sign §
inside a secret is taken out when the corpus is read, and keeps secret scanners from taking a made-up key for a leaked
one.

    python3 tests/corpus/generate.py
"""
import base64
import hashlib
import json
import random
import string
import urllib.parse
import uuid
from pathlib import Path

HERE = Path(__file__).parent
R = random.Random(20261121)

LOWER, UPPER, DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
ALNUM = LOWER + UPPER + DIGITS
URLSAFE = ALNUM + "-_"
B64 = ALNUM + "+/"
HEX = "0123456789abcdef"
BASE32 = UPPER + "234567"


def some(alphabet, count):
    """Characters of an alphabet that begin and end with a letter or digit, with both kinds among them."""
    while True:
        text = "".join(R.choice(alphabet) for _ in range(count))
        if text[0].isalnum() and text[-1].isalnum() and any(c.isdigit() for c in text) and any(c.isalpha() for c in text):
            return text


def hexes(count):
    return some(HEX, count)


def guid():
    return str(uuid.UUID(int=R.getrandbits(128), version=4))


# Keys by provider: the rule's name, and how one is made.
KEYS = {
    "openai-key": [lambda: "sk-" + some(ALNUM, 20) + "T3Blbk" + "FJ" + some(ALNUM, 20), lambda: "sk-proj-" + some(URLSAFE, 74) + "T3Blbk" + "FJ" + some(URLSAFE, 74),
                   lambda: "sk-svcacct-" + some(URLSAFE, 60), lambda: "sk-" + some(ALNUM, 48), lambda: "sk-" + hexes(32)],
    "anthropic-key": [lambda: "sk-ant-api03-" + some(URLSAFE, 93) + "AA", lambda: "sk-ant-admin01-" + some(URLSAFE, 93) + "AA", lambda: "sk-ant-oat01-" + some(URLSAFE, 86)],
    "openrouter-key": [lambda: "sk-or-v1-" + hexes(64)],
    "groq-key": [lambda: "gsk_" + some(ALNUM, 52)],
    "xai-key": [lambda: "xai-" + some(ALNUM, 80)],
    "perplexity-key": [lambda: "pplx-" + some(ALNUM, 48)],
    "replicate-token": [lambda: "r8_" + some(ALNUM, 37)],
    "huggingface-token": [lambda: "hf_" + some(ALNUM, 34)],
    "nvidia-key": [lambda: "nvapi-" + some(URLSAFE, 64)],
    "langsmith-key": [lambda: "lsv2_pt_" + hexes(32) + "_" + hexes(10), lambda: "lsv2_sk_" + hexes(32) + "_" + hexes(10)],
    "langfuse-key": [lambda: "sk-lf-" + guid()],
    "pinecone-key": [lambda: "pcsk_" + some(ALNUM, 6) + "_" + some(ALNUM, 60)],
    "tavily-key": [lambda: "tvly-dev-" + some(ALNUM, 32)],
    "aws-access-key": [lambda: "AKIA" + some(BASE32, 16), lambda: "ASIA" + some(BASE32, 16)],
    "google-api-key": [lambda: "AIza" + some(URLSAFE, 35)],
    "google-oauth-token": [lambda: "ya29.a0" + some(URLSAFE, 160), lambda: "1//0" + some(URLSAFE, 60)],
    "google-client-secret": [lambda: "GOCSPX-" + some(URLSAFE, 28)],
    "azure-client-secret": [lambda: some(ALNUM, 3) + "8Q~" + some(ALNUM + "_.-", 34)],
    "github-token": [lambda: R.choice(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]) + some(ALNUM, 36), lambda: "github_pat_" + some(ALNUM, 22) + "_" + some(ALNUM, 59)],
    "gitlab-token": [lambda: "glpat-" + some(URLSAFE, 20), lambda: "gldt-" + some(URLSAFE, 20), lambda: "glrt-" + some(URLSAFE, 20), lambda: "glptt-" + hexes(40)],
    "slack-token": [lambda: f"xoxb-{some(DIGITS + 'a', 12).replace('a', '1')}-{R.randrange(10**12, 10**13)}-{some(ALNUM, 24)}",
                    lambda: f"xoxp-{R.randrange(10**11, 10**12)}-{R.randrange(10**11, 10**12)}-{R.randrange(10**12, 10**13)}-{hexes(32)}",
                    lambda: f"xapp-1-A0{some(UPPER + DIGITS, 9)}-{R.randrange(10**12, 10**13)}-{hexes(64)}"],
    "stripe-key": [lambda: "sk_live_" + some(ALNUM, 24), lambda: "rk_live_" + some(ALNUM, 24), lambda: "sk_test_51" + some(ALNUM, 97)],
    "stripe-webhook-secret": [lambda: "whsec_" + some(ALNUM, 32)],
    "npm-token": [lambda: "npm_" + some(ALNUM, 36)],
    "pypi-token": [lambda: "pypi-AgEIcHlwaS5vcmc" + some(URLSAFE, 150)],
    "rubygems-key": [lambda: "rubygems_" + hexes(48)],
    "crates-io-token": [lambda: "cio" + some(ALNUM, 32)],
    "docker-token": [lambda: "dckr_pat_" + some(URLSAFE, 27)],
    "twilio-key": [lambda: "SK" + hexes(32)],
    "sendgrid-key": [lambda: "SG." + some(URLSAFE, 22) + "." + some(URLSAFE, 43)],
    "mailgun-key": [lambda: "key-" + hexes(32)],
    "mailchimp-key": [lambda: hexes(32) + "-us" + str(R.randrange(1, 22))],
    "digitalocean-token": [lambda: R.choice(["dop", "doo", "dor"]) + "_v1_" + hexes(64)],
    "shopify-token": [lambda: R.choice(["shpat_", "shpca_", "shppa_", "shpss_"]) + hexes(32)],
    "telegram-token": [lambda: f"{R.randrange(10**8, 10**10)}:AA" + some(URLSAFE, 33)],
    "discord-token": [lambda: base64.b64encode(str(R.randrange(10**17, 10**18)).encode()).decode().rstrip("=") + "." + some(URLSAFE, 6) + "." + some(URLSAFE, 38)],
    "databricks-token": [lambda: "dapi" + hexes(32)],
    "vault-token": [lambda: "hvs." + some(URLSAFE, 90), lambda: "hvb." + some(URLSAFE, 140)],
    "terraform-token": [lambda: some(ALNUM, 14) + ".atlasv1." + some(URLSAFE, 67)],
    "linear-key": [lambda: "lin_api_" + some(ALNUM, 40)],
    "notion-token": [lambda: "ntn_" + some(ALNUM, 46), lambda: "secret_" + some(ALNUM, 43)],
    "postman-key": [lambda: "PMAK-" + hexes(24) + "-" + hexes(34)],
    "grafana-token": [lambda: "glsa_" + some(ALNUM, 32) + "_" + hexes(8)],
    "newrelic-key": [lambda: "NRAK-" + some(UPPER + DIGITS, 27)],
    "doppler-token": [lambda: "dp.pt." + some(ALNUM, 43), lambda: "dp.st.prd." + some(ALNUM, 43)],
    "atlassian-token": [lambda: "ATATT3xFfGF0" + some(URLSAFE, 170) + "=" + hexes(8).upper()],
    "fly-token": [lambda: "fo1_" + some(URLSAFE, 43)],
    "supabase-key": [lambda: "sbp_" + hexes(40)],
    "airtable-token": [lambda: "pat" + some(ALNUM, 14) + "." + hexes(64)],
    "figma-token": [lambda: "figd_" + some(URLSAFE, 40)],
    "pulumi-token": [lambda: "pul-" + hexes(40)],
    "heroku-key": [lambda: "HRKU-" + guid()],
    "tailscale-key": [lambda: "tskey-auth-k" + some(ALNUM, 11) + "-" + some(ALNUM, 32)],
    "sentry-token": [lambda: "sntryu_" + hexes(64)],
    "hubspot-token": [lambda: "pat-na1-" + guid()],
    "square-token": [lambda: "sq0atp-" + some(URLSAFE, 22)],
    "brevo-key": [lambda: "xkeysib-" + hexes(64) + "-" + some(ALNUM, 16)],
    "alibaba-key": [lambda: "LTAI5t" + some(ALNUM, 18)],
    "planetscale-token": [lambda: "pscale_tkn_" + some(URLSAFE, 43)],
}

# Where a key of any kind turns up. %s is the key.
ANYWHERE = [
    "export API_KEY=%s",
    'curl -H "Authorization: token %s" https://api.internal.test/v1/items',
    "2026-03-14T09:26:53.589Z ERROR worker[4]: upstream said 401 for key %s, giving up",
    "I pasted %s into the config and it still fails, what am I doing wrong?",
    '{"tool":"http_get","arguments":{"url":"https://api.example.test/me","headers":{"X-Api-Key":"%s"}}}',
    "client = Client(api_key='%s')",
    "const client = new Client({ apiKey: \"%s\" });",
    "  key: %s\n  region: eu-west-1",
    "https://api.example.test/v1/items?key=%s&limit=10",
    "-API_TOKEN=old\n+API_TOKEN=%s\n",
    "ENV SERVICE_TOKEN=%s",
    "| name | value |\n|---|---|\n| token | `%s` |",
    "id,owner,key\n17,ops,%s\n",
    "Traceback (most recent call last):\n  File \"app.py\", line 12, in <module>\nAuthError: invalid credential '%s'",
    "Der Schlüssel lautet %s und gilt bis Freitag.",
    "La clé est %s, merci de ne pas la partager.",
    "使用这个密钥：%s，谢谢",
    "  12  git remote add origin https://example.test/x.git\n  13  export T=%s\n  14  ls -la",
    "<add key=\"ServiceKey\" value=\"%s\" />",
    "let key = \"%s\".to_string();",
    "apiVersion: v1\nkind: ConfigMap\ndata:\n  upstream.conf: |\n    header: %s\n",
    "Subject: access\n\nHi Ann,\n\nplease use %s.\n\nBest, Tom",
    "\"{\\\"key\\\":\\\"%s\\\"}\"",
    "[2026-03-14 09:26:53] DEBUG request headers={'x-key': '%s', 'accept': '*/*'}",
    "key := \"%s\" // TODO: move to vault",
    "# set by ansible\nservice_key = \"%s\"\n",
    "Use (%s) for now.",
    "old:%s;new:none",
    "$client->setKey('%s');",
    "printf '%%s' '%s' | base64",
]

NAMES = ["jane.doe", "m.mueller", "li-wei", "o'neill", "ana_souza", "tom+test", "r2d2", "kontakt", "j.r.tolkien", "sales"]
DOMAINS = ["example.com", "example.org", "mail.example.co.uk", "firma.example.de", "uni-x.edu", "startup.io", "acme.dev", "post.example.fr", "corp.internal", "tech.example.com.br"]
MAIL_PLACES = [
    "Please write to %s.", "From: Jane Doe <%s>", '{"user":{"email":"%s","active":true}}', "contact=%s&lang=en", "name,email,city\nJane,%s,Rome\n",
    "git commit --author='Jane <%s>'", "Error: mailbox %s is full (552)", "Schreib mir an %s, danke!", "escribe a %s por favor", "to: [%s]",
    "<a href=\"mailto:%s\">write</a>", "SELECT * FROM users WHERE email = '%s';", "Co-authored-by: J <%s>", "连接 %s 失败", "{\\\"to\\\":\\\"%s\\\"}", "user (%s) logged in from Oslo",
    "- %s # owner", "assignee: %s,", "Ваш адрес %s подтверждён.", "// reported by %s",
]
PHONES = [
    "+1 415 555 2671", "+1-212-555-0187", "+14155552671", "(415) 555-2671", "415-555-2671", "+44 20 7946 0958", "+447700900123", "020 7946 0958", "+49 30 901820",
    "+49 151 23456789", "0151 23456789", "030/901820", "+33 6 12 34 56 78", "06 12 34 56 78", "01.45.67.89.10", "+34 612 345 678", "+39 06 6982 1234", "+31 6 12345678",
    "06-12345678", "+55 11 91234-5678", "(11) 91234-5678", "+91 98765 43210", "+81 3-1234-5678", "090-1234-5678", "+86 138 0013 8000", "+61 412 345 678", "0412 345 678",
    "+48 601 234 567", "+46 70 123 45 67", "+41 44 668 18 00", "+43 1 58858 0", "+7 495 123-45-67", "+353 1 679 1234", "+351 912 345 678", "+972 3-123-4567", "+380 44 123 4567",
]
PHONE_PLACES = [
    "Call %s before noon.", "phone: %s", '{"name":"Ann","phone":"%s"}', "Tel. %s, Zimmer 12", "mobile,%s,home", "My number is %s!", "Rückruf unter %s erbeten",
    "llámame al %s mañana", "WhatsApp: %s", "Contact (%s) or reply here", "customer said: %s is wrong", "<span class=\"tel\">%s</span>", "appelez le %s svp",
]
CARD_PLACES = [
    "card %s exp 04/29", '{"number":"%s","cvc":"123"}', "Meine Karte ist %s.", "PAN=%s", "charged %s for 12.00 EUR", "row,%s,visa", "pan: '%s'", "tarjeta %s caducada",
    "ERROR declined card=%s code=05", '{"card_number": %s, "ok": true}', "payment with %s failed twice", "| %s | declined |",
]
IBANS = [
    "DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "NL91ABNA0417164300", "ES9121000418450200051332", "IT60X0542811101000000123456",
    "CH9300762011623852957", "AT611904300234573201", "BE68539007547034", "PL61109010140000071219812874", "SE4550000000058398257466", "NO9386011117947", "DK5000400440116243",
    "FI2112345600000785", "PT50000201231234567890154", "IE29AIBK93115212345678", "SA0380000000608010167519", "AE070331234567890123456", "TR330006100519786457841326", "MT84MALT011000012345MTLCAST001S",
]
IBAN_PLACES = ["IBAN: %s", "Bitte auf %s überweisen.", '{"iban":"%s","bic":"X"}', "transfer to %s today", "konto;%s;EUR", "Mon IBAN est %s, merci", "pay(iban='%s', amount=5)", "creditor %s\namount 12.00"]
PASSWORD_WORDS = ["hunter2", "Tr0ub4dor&3", "S3cure!Pass9", "qwerty!2024", "Winter#2025", "xK9$mQ2v", "p@ssw0rd!", "Zebra-77-Lamp", "9fJ2kLq8", "m0nkey_Bus", "correct7horse", "a1B2c3D4!", "Kx7%pQz1", "letmein99", "R3dF0x!jumps"]
PASSWORD_PLACES = [
    "password=%s", "DB_PASSWORD=%s", "export PGPASSWORD='%s'", '"password": "%s"', "password: %s", "  password: \"%s\"", "const password = '%s';", "String password = \"%s\";",
    "psql_password := \"%s\"", "let db_password = \"%s\";", "$config['password'] = '%s';", "define('DB_PASSWORD', '%s');", "spring.datasource.password=%s", "<password>%s</password>",
    "<add name=\"Password\" value=\"%s\"/>", "tool --user bob --password %s --quiet", "tool --password=%s", "mysql -u root -p'%s' shop", "curl -u admin:%s https://host.test/x",
    "sshpass -p '%s' ssh bob@host", "Server=db;Database=x;User Id=sa;Password=%s;Encrypt=true", "jdbc:postgresql://db/x?user=app&password=%s", "ENV MYSQL_ROOT_PASSWORD=%s",
    "      - POSTGRES_PASSWORD=%s", "- name: DB_PASSWORD\n  value: \"%s\"", "ALTER USER app WITH PASSWORD '%s';", "CREATE USER 'app'@'%%' IDENTIFIED BY '%s';",
    "the password is %s", "mein Passwort ist %s", "mot de passe : %s", "la contraseña es %s", "пароль: %s", "密码：%s", "senha: %s", "pwd=%s", "DB_PASS: %s", "user=bob&passwd=%s&submit=1",
    "{\\\"user\\\":\\\"bob\\\",\\\"password\\\":\\\"%s\\\"}", "Password: %s", "os.environ['DB_PASSWORD'] = '%s'", "connect(host='h', user='u', password='%s')", "password => '%s',",
    "machine host.test login bob password %s", "docker login -u bob -p %s registry.test", ":password => \"%s\"", "passphrase = \"%s\"", "redis-cli -h cache -a %s ping",
    "wachtwoord: %s", "hasło: %s", "パスワード：%s", "requirepass_password %s\npassword = \"%s\"",
]
SECRET_PLACES = [
    'api_key = "%s"', "API_KEY=%s", '"apiKey": "%s"', "client_secret: %s", 'clientSecret: "%s"', "X-API-Key: %s", "SECRET_KEY = '%s'", "access_token=%s", '{"access_token":"%s","token_type":"bearer"}',
    "auth_token: '%s'", "--api-key %s --model x", "DATADOG_API_KEY=%s", "export COHERE_API_KEY=%s", "MISTRAL_API_KEY=\"%s\"", "webhook_secret: %s", "signing_secret=\"%s\"", "refresh_token: \"%s\"",
    "JWT_SECRET=%s", "encryption_key = \"%s\"", "CLOUDFLARE_API_TOKEN=%s", "private_token=%s", "consumer_secret='%s'", "app.secret=%s", "secret_key_base: %s", "\\\"api_key\\\":\\\"%s\\\"",
]
URL_PLACES = ["DATABASE_URL=%s", "connect to %s failed", 'url = "%s"', '{"dsn":"%s"}', "  uri: %s", "engine = create_engine('%s')", "export BROKER=%s", "git clone %s", "-u %s", "proxy: %s # corp"]
LONG_TEXT = "The service answers when it has read the whole request and no earlier than that, as the notes say. "


class Corpus:
    def __init__(self):
        self.lines = []

    def add(self, place, rule, secret, label=None):
        """A positive: `place` with the secret for each %s. `label` where only a part of it is secret."""
        text = place.replace("%%", "\0").replace("%s", secret).replace("\0", "%")
        label = secret if label is None else label
        # A passage before and after, so that secrets do not always stand at the beginning.
        if R.random() < 0.2:
            text = LONG_TEXT + "\n" + text + "\n" + LONG_TEXT
        self.lines.append({"text": text, "hits": [{"rule": rule, "text": label}] * place.replace("%%", "").count("%s")})

    def none(self, text):
        self.lines.append({"text": text, "hits": []})


def jwt():
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")
    header = R.choice([{"alg": "HS256", "typ": "JWT"}, {"alg": "RS256", "kid": hexes(16)}, {"typ": "JWT", "alg": "ES256"}, {"kid": guid(), "alg": "EdDSA", "typ": "at+jwt"}])
    return part(header) + "." + part({"sub": guid(), "iat": 1700000000 + R.randrange(10**7), "scope": "read write"}) + "." + some(URLSAFE, 43)


def pem(kind, lines=6, ending="\n"):
    body = ending.join(some(B64, 64) for _ in range(lines)) + ending + some(B64, 40) + "=="
    return f"-----BEGIN {kind}-----{ending}{body}{ending}-----END {kind}-----"


def luhn(prefix, length):
    digits = prefix + "".join(R.choice(DIGITS) for _ in range(length - len(prefix) - 1))
    for check in DIGITS:
        if luhn_holds(digits + check):
            return digits + check


def luhn_holds(number):
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def grouped(number, sep):
    if len(number) == 15:
        return sep.join([number[:4], number[4:10], number[10:]])
    return sep.join(number[i:i + 4] for i in range(0, len(number), 4))


def positives(c):
    for rule, makers in KEYS.items():
        for place in R.sample(ANYWHERE, 6):
            c.add(place, rule, R.choice(makers)())
        key = R.choice(makers)()
        run = base64.b64encode(f'{{"key":"{key}","n":1}}'.encode()).decode()
        c.add("payload %s end", rule, run)
    for place in MAIL_PLACES:
        for _ in range(2):
            c.add(place, "email", f"{R.choice(NAMES)}@{R.choice(DOMAINS)}")
    for number in PHONES:
        c.add(R.choice(PHONE_PLACES), "phone-number", number)
    for number in R.sample(PHONES, 20):
        c.add(R.choice(PHONE_PLACES), "phone-number", number)
    for place in ["phone: %s", '{"phone":"%s"}', "tel=%s", "Mobile number: %s", "手机：%s", "phone_number: '%s'"]:
        c.add(place, "phone-number", R.choice(["4155552671", "13800138000", "0612345678", "98 765 432 10", "612345678"]))
    for prefix, length in [("4", 16), ("51", 16), ("55", 16), ("2223", 16), ("34", 15), ("37", 15), ("6011", 16), ("65", 16), ("3530", 16), ("36", 14), ("62", 16)]:
        for sep in ["", " ", "-"]:
            number = luhn(prefix, length)
            text = grouped(number, sep) if sep and length in (15, 16) else number
            place = R.choice([p for p in CARD_PLACES if "_number" not in p or not sep])
            c.add(place, "card-number", text)
    for iban in IBANS:
        c.add(R.choice(IBAN_PLACES), "iban", iban)
        c.add(R.choice(IBAN_PLACES), "iban", grouped_fours(iban))
    for place in PASSWORD_PLACES:
        for word in R.sample(PASSWORD_WORDS, 2):
            if "requirepass" in place:
                continue
            c.add(place, "password", word)
    for place in SECRET_PLACES:
        for make in [lambda: hexes(32), lambda: some(ALNUM, 40), guid]:
            c.add(place, "secret", make())
    for scheme in ["postgres", "postgresql", "mysql", "mongodb+srv", "redis", "amqp", "https", "rediss", "mssql", "clickhouse", "ftp"]:
        credentials = f"{R.choice(['app', 'root', 'svc_user', 'admin'])}:{R.choice(PASSWORD_WORDS).replace('%', '').replace('#', '')}"
        for place in R.sample(URL_PLACES, 3):
            c.add(place.replace("%s", f"{scheme}://%s@db.example.test:5432/main"), "url-credentials", credentials)
    for place in ["Authorization: Bearer %s", '"Authorization": "Bearer %s"', "curl -H 'authorization: bearer %s' https://h.test", "headers={'Authorization': f'Bearer %s'}", '{\\"Authorization\\":\\"Bearer %s\\"}']:
        for _ in range(3):
            c.add(place, "bearer-token", some(ALNUM + "-._", 40))
    for place in ["Authorization: Basic %s", '"authorization": "Basic %s"', "-H 'Authorization: Basic %s'", "proxy-authorization: Basic %s"]:
        for _ in range(4):
            pair = f"{R.choice(NAMES)}:{R.choice(PASSWORD_WORDS)}"
            c.add(place, "basic-auth", base64.b64encode(pair.encode()).decode())
    for place in ["token %s expired", '{"id_token":"%s"}', "Set header to %s", "?jwt=%s", "session: %s", "Authorization: Bearer %s", "eyJ is how %s begins", "cookie_value='%s'", "id = %s.", "\\\"t\\\":\\\"%s\\\""]:
        for _ in range(2):
            c.add(place, "jwt", jwt())
    for kind in ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]:
        c.add("%s\n", "private-key", pem(kind))
        c.add('{"private_key":"%s\\n","type":"service_account"}', "private-key", pem(kind, ending="\\n"))
        c.add("key: |\n  %s\nnext: 1", "private-key", pem(kind, ending="\n  "))
    for place in ["Cookie: %s\r\nHost: h.test", '"cookie": "%s"', "curl -b x -H 'Cookie: %s' https://h.test", "< set-cookie: %s"]:
        for name in ["sessionid", "connect.sid", "auth", "JSESSIONID"]:
            c.add(place, "cookie", f"{name}={some(ALNUM, 32)}; theme=dark")
    for place in ["https://hooks.slack.com/services/%s", 'webhook: "https://hooks.slack.com/services/%s"', "POST https://hooks.slack.com/services/%s HTTP/1.1", "curl -d @x https://hooks.slack.com/services/%s"]:
        for _ in range(2):
            c.add(place, "slack-webhook", f"T0{some(UPPER + DIGITS, 8)}/B0{some(UPPER + DIGITS, 8)}/{some(ALNUM, 24)}")
    for place in ["https://discord.com/api/webhooks/%s", '{"url":"https://discord.com/api/webhooks/%s"}', "hook https://discordapp.com/api/webhooks/%s now"]:
        for _ in range(2):
            c.add(place, "discord-webhook", f"{R.randrange(10**17, 10**18)}/{some(URLSAFE, 68)}")
    for place in ["AWS_SECRET_ACCESS_KEY=%s", "aws_secret_access_key = %s", '"SecretAccessKey": "%s"', "secretAccessKey: '%s'", "aws_secret_access_key: \"%s\""]:
        for _ in range(2):
            c.add(place, "aws-secret-key", some(B64, 40))
    for place in ["AccountName=store;AccountKey=%s;EndpointSuffix=core.windows.net", "SharedAccessKeyName=Root;SharedAccessKey=%s", "conn='DefaultEndpointsProtocol=https;AccountName=a;AccountKey=%s'"]:
        for _ in range(3):
            c.add(place, "azure-storage-key", base64.b64encode(R.randbytes(64)).decode())
    for _ in range(8):
        sas = urllib.parse.quote(base64.b64encode(R.randbytes(32)).decode(), safe="")
        text = f"https://acct.blob.core.windows.net/c/f.txt?sv=2022-11-02&se=2026-02-01&sr=b&sp=r&sig={sas}"
        c.lines.append({"text": text, "hits": [{"rule": "azure-sas", "text": sas}]})
    for place in ['SENTRY_DSN=https://%s@o447951.ingest.sentry.io/5429219', 'dsn: "https://%s@sentry.example.test/12"', "Sentry.init({ dsn: 'https://%s@o1.ingest.us.sentry.io/42' })"]:
        for _ in range(3):
            c.add(place, "sentry-dsn", hexes(32))
    for place in ["ssn %s", "SSN: %s", '{"ssn":"%s"}', "Social Security Number: %s", "taxpayer %s, filed"]:
        for _ in range(2):
            c.add(place, "ssn", f"{R.randrange(101, 665)}-{R.randrange(10, 99)}-{R.randrange(1000, 9999)}")
    # Encoded forms.
    for _ in range(12):
        mail = f"{R.choice(NAMES)}@{R.choice(DOMAINS)}"
        run = base64.b64encode(json.dumps({"sub": "u1", "email": mail}).encode()).decode()
        c.add(R.choice(["state=%s", '{"blob":"%s"}', "decoded %s says it", "X-User-Info: %s"]), "email", R.choice([run, run.replace("+", "-").replace("/", "_").rstrip("=")]))
        c.add(R.choice(["/login?user=%s&x=1", "GET /u/%s HTTP/1.1", "id=%s"]), "email", mail.replace("@", "%40").replace("+", "%2B").replace("'", "%27"))
        c.add(R.choice(['{"m":"%s"}', '"to": "%s",']), "email", mail.replace("@", "\\u0040"))
        inner = json.dumps({"user": "bob", "password": R.choice(["hunter22", "Winter2025x", "xK9mQ2v7"])})
        for _ in range(R.randrange(1, 4)):
            inner = json.dumps({"v": inner})
        secret = next(word for word in ["hunter22", "Winter2025x", "xK9mQ2v7"] if word in inner)
        c.lines.append({"text": inner, "hits": [{"rule": "password", "text": secret}]})
        wrapped = base64.encodebytes((LONG_TEXT + f"write to {mail} or not. " + LONG_TEXT).encode()).decode().strip()
        c.add("Content-Transfer-Encoding: base64\n\n%s\n\n--x", "email", wrapped)
        query = urllib.parse.quote(json.dumps({"password": secret}), safe="")
        c.add(f"https://h.test/cb?state={query.replace('%', '%%').replace(secret, '%s')}", "password", secret)


def grouped_fours(text):
    return " ".join(text[i:i + 4] for i in range(0, len(text), 4))


WORDS = "stream buffer handle index parse render commit branch module vector socket thread worker queue cache token key secret password auth session login user email phone card number account bank account_id access".split()


def negatives(c):
    none = c.none
    for _ in range(150):
        none(R.choice(["request_id={}", '{{"id":"{}","ok":true}}', "trace {} finished", "INSERT INTO runs VALUES ('{}');", "/v1/runs/{}/events", "uuid: {}", "volume-{}", "conversation.id={}", "token_id: {}", "urn:uuid:{}"]).format(guid()))
    for _ in range(220):
        algorithm = R.choice(["md5", "sha1", "sha256", "sha512"])
        digest = hashlib.new(algorithm, R.randbytes(8)).hexdigest()
        none(R.choice(["{1} {0}", "{1}:{0}", '"{1}": "{0}"', "{0}  file.tar.gz", "etag: \"{0}\"", "checksum {0} ok", "image@sha256:{0}", "commit {0}", "{1}sum={0}", "cache key {0}", "blob {0} 1234", "fingerprint={0}"]).format(digest, algorithm))
    for _ in range(150):
        short = hexes(R.choice([7, 8, 10, 12, 40]))
        none(R.choice(["commit {0}\nAuthor: nobody\n\n    Fix the {1}", "git show {0}", "Merge {0} into main", "index {0}..{0} 100644", "* {0} Rework the {1} module", "HEAD is now at {0} Rework {1}", "rev: {0}", "https://github.com/org/repo/commit/{0}"]).format(short, R.choice(WORDS)))
    for _ in range(100):
        data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + R.randbytes(R.randrange(60, 400))).decode()
        none(R.choice(['<img src="data:image/png;base64,{}">', "url(data:image/png;base64,{})", '{{"image":"{}"}}', '{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{}"}}}}', "integrity sha512-{}"]).format(data))
    for _ in range(60):
        data = base64.b64encode(R.randbytes(R.randrange(24, 200))).decode()
        none(R.choice(["blob: {}", '"signature_hash": "{}"', "sha384-{}", '{{"encrypted_content":"{}"}}', "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} host", "X: {}"]).format(data))
    for _ in range(120):
        version = f"{R.randrange(30)}.{R.randrange(30)}.{R.randrange(300)}"
        name = R.choice(["react", "lodash", "@types/node", "serde", "numpy", "vue", "@babel/core", "typescript", "tokio", "openssl"])
        none(R.choice(["{0}@{1}", '"{0}": "^{1}"', "{0}=={1}", "https://cdn.example.test/npm/{0}@{1}/dist/index.js", "upgrade {0} from {1} to {1}.1", "{0}-{1}-x86_64-unknown-linux-gnu.tar.gz", "/{0}@{1}(react@18.2.0)", "pkg:npm/{0}@{1}", "{0}/{1} (linux; x64)", "resolved {0}@{1}-beta.3"]).format(name, version))
    for _ in range(200):
        length = R.choice([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 25, 30])
        number = str(R.randrange(10 ** (length - 1), 10 ** length))
        if 13 <= length <= 19 and luhn_holds(number):
            number = number[:-1] + str((int(number[-1]) + 1) % 10)
        none(R.choice(["order {}", "id={}", "{} bytes read", '{{"ts":{}}}', "tracking no. {}", "ns={}", "row {} of many", "x = {};", "snowflake {}", "a{}b", "offset={} len=4", "seq {}", "EAN {}", "0.{}", "{} ns"]).format(number))
    for _ in range(80):
        number = luhn(R.choice(["4", "51", "37", "6011"]), 16)
        wrong = number[:-1] + str((int(number[-1]) + R.randrange(1, 9)) % 10)
        if luhn_holds(wrong):
            continue
        none(R.choice(["card {}", "ref {}", "PAN {} (invalid)", '{{"n":"{}"}}', "invoice {} paid"]).format(R.choice([wrong, grouped(wrong, " "), grouped(wrong, "-")])))
    for iban in IBANS * 4:
        wrong = iban[:-3] + str((int(iban[-3]) + 1) % 10 if iban[-3].isdigit() else 7) + iban[-2:]
        none(R.choice(["ref {}", "code {}", "IBAN {} is not valid", "part {}"]).format(R.choice([wrong, grouped_fours(wrong)])))
    for _ in range(160):
        y, m, d = R.randrange(1990, 2030), R.randrange(1, 13), R.randrange(1, 29)
        h, mi, s = R.randrange(24), R.randrange(60), R.randrange(60)
        none(R.choice([f"{y}-{m:02}-{d:02}T{h:02}:{mi:02}:{s:02}.123456Z started", f"{d:02}.{m:02}.{y} {h:02}:{mi:02}", f"{y}{m:02}{d:02}{h:02}{mi:02}{s:02}", f"{m:02}/{d:02}/{y} - {m:02}/{d:02}/{y + 1}",
                       f"from {y} to {y + 3}, {d} days", f"{y}-{m:02}-{d:02} {h:02}:{mi:02}:{s:02},123 INFO ok", f"log-{y}-{m:02}-{d:02}.gz", f"{d} x {m} x {y} mm", f"v{y}.{m}.{d}", f"epoch {1500000000 + R.randrange(10**8)}",
                       f"lat {R.uniform(-90, 90):.6f} lon {R.uniform(-180, 180):.6f}", f"took {R.uniform(0, 1e4):.3f} ms, {R.randrange(10**6)} rows", f"{y}/{m:02}/{d:02} {h:02}:{mi:02}:{s:02} [notice] 1#1: start"]))
    for _ in range(120):
        a, b = R.choice(WORDS), R.choice(WORDS)
        none(R.choice(["def {0}_{1}(self, password=None, token=None):", "if password is None: raise ValueError('{0} required')", "const {0} = getPassword({1});", "password: string; {0}: number;", "token := r.Header.Get(\"{0}\")",
                       "api_key=os.environ['{0}_KEY']", "secret = config.get('{0}.{1}')", "let token = next_token(&mut {0});", "max_tokens: 4096, {0}: true", "password_field.send_keys({0})", "self.password = password", "PASSWORD=${{{0}_PASSWORD}}",
                       "password: {{{{ .Values.{0}.password }}}}", "SECRET_KEY = env('SECRET_KEY')", "token_type: bearer", "fn password(&self) -> &str {{ &self.{0} }}", "auth: {{ user, password }}", "api_key: <your-{0}-key>", "--password-stdin", "private String password;",
                       "password = StringField('{0}', validators=[DataRequired()])", "expect(wrapper.find('#password').exists())", "@app.route('/{0}')", "@Override public {0} {1}()", "import {{ {0} }} from '@org/{1}'", "user.password_hash", "tokens[{0}] = 1"]).format(a, b))
    for _ in range(140):
        none(R.choice(['traceparent: 00-{0}-{1}-01', '"trace_id":"{0}","span_id":"{1}"', "span {1} of trace {0}", "veilspan.call.id={2}", "gen_ai.response.id: chatcmpl-{3}", "call_{4}", "toolu_{4}", "req_{4}", "msg_{4}", "resp_{0}{1}", "thread_{4}", "run_{4}", "fc_{0}", "session.id={5}", "ulid {2}", "x-request-id: {5}"])
             .format(hexes(32), hexes(16), "01" + some("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24), some(ALNUM, 29), some(ALNUM, 24), guid()))
    for _ in range(120):
        none(R.choice(["password: ********", "api_key: xxxxxxxxxxxxxxxxxxxxxxxx", "token=<token>", "OPENAI_API_KEY=sk-...", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "password: changeme", "secret: ${{ secrets.DEPLOY_KEY }}", "PASSWORD=$PASSWORD", "export TOKEN=$(cat /run/secrets/t)",
                       "Authorization: Bearer <token>", "Authorization: Bearer $TOKEN", "Authorization: Bearer YOUR_TOKEN_HERE", "postgres://user:<password>@host/db", "postgres://${USER}:${PASS}@host/db", "AKIAXXXXXXXXXXXXXXXX", "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "password: \"\"",
                       "api_key: null", "token: None", "secret: REDACTED", "password: [redacted:password]", "AWS_SECRET_ACCESS_KEY=your-secret-access-key-goes-here-please", "apiKey: process.env.API_KEY", "password=%(password)s", "password: {{ db_password }}", "\"password\": \"<hidden>\"", "PASSWORD=%PASSWORD%",
                       "xoxb-your-token-here-replace", "passphrase: (none)", "password = \"your_password\"", "api_key = 'INSERT_KEY_HERE'"]) + R.choice(["", "\n", "  # set me", ""]))
    models = ["gpt-4.1-mini-2025-04-14", "claude-sonnet-4-5-20250929", "gemini-2.5-pro-preview-06-05", "meta-llama/Llama-3.3-70B-Instruct", "mistral-large-2411", "text-embedding-3-small", "o4-mini-2025-04-16", "claude-3-5-haiku@20241022", "anthropic.claude-3-5-sonnet-20241022-v2:0", "accounts/fireworks/models/deepseek-v3", "qwen2.5-coder-32b", "us.amazon.nova-pro-v1:0"]
    for model in models * 6:
        none(R.choice(['"model": "{}"', "chat {}", "model={}&n=1", "using {} today", "models/{}:generateContent", "- {}"]).format(model))
    for _ in range(60):
        cert = pem(R.choice(["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE REQUEST", "PGP PUBLIC KEY BLOCK", "PGP SIGNATURE"]), 3, R.choice(["\n", "\\n"]))
        none(R.choice(["{}\n", '{{"cert":"{}"}}']).format(cert))
    for _ in range(80):
        name = "".join(R.choice(LOWER) for _ in range(R.randrange(1, 3)))
        none(R.choice(["!function({0},{1}){{var r={0}[{1}],t=0x{2};return r&&r.p?{0}.q:{1}}}(window,{{k:1}});", "var {0}=function({1}){{return {1}.map((e=>e.token))}},{1}=0x{2};", "//# sourceMappingURL=app.{2}.js.map", '"integrity": "sha512-{3}=="', "{0}.chunk.{2}.css", "webpack://{2}/./src/{0}.ts", "checksum = \"{2}{2}\"", "h1:{3}=", "name = \"{0}\"\nchecksum = \"{4}\""])
             .format(name, name[::-1], hexes(8), base64.b64encode(R.randbytes(64)).decode().rstrip("="), hexes(64)))
    for _ in range(100):
        none(R.choice(["{0}.{1}.{2}.{3}", "ping 10.{0}.{1}.{2}", "{0}:{1}:{2}:{3}", "1.{0}e{1}", "[{0}, {1}, {2}, {3}]", "rgb({0}, {1}, {2})", "{0}+{1}={2}", "{0}-{1}-{2}", "+{0}.{1}%", "pages {0}-{1}, {2}-{3}", "ISBN 978-3-16-148410-{0}", "matrix {0} {1} {2} {3}", "size {0}x{1}+{2}+{3}", "{0}/{1}/{2}", "§ {0}.{1}.{2}", "port {0}{1}, pid {2}{3}", "x={0}{1}{2}{3}", "@@ -{0},{1} +{2},{3} @@"])
             .format(*[R.randrange(1, 255) for _ in range(4)]).replace("§", "sec."))


def written(name):
    """Lines by hand: records between lines of dashes, secrets as [[rule|secret]]."""
    lines = []
    for record in (HERE / name).read_text(encoding="utf-8").split("\n-----8<-----\n"):
        text, hits, rest = "", [], record
        while "[[" in rest and "|" in rest.split("[[", 1)[1].split("]]", 1)[0]:
            before, after = rest.split("[[", 1)
            marked, rest = after.split("]]", 1)
            rule, secret = marked.split("|", 1)
            text += before + secret
            hits.append({"rule": rule, "text": secret})
        lines.append({"text": text + rest, "hits": hits})
    return lines


def guarded(line):
    """Puts a sign into each secret, so that no scanner takes it for one."""
    hits = []
    for hit in line["hits"]:
        secret = hit["text"]
        marked = secret if len(secret) <= 12 or "§" in secret else secret[:3] + "§" + secret[3:]
        line["text"] = line["text"].replace(secret, marked)
        hits.append({"rule": hit["rule"], "text": marked})
    return {"text": line["text"], "hits": hits}


def main():
    corpus = Corpus()
    positives(corpus)
    negatives(corpus)
    for name, lines in [("generated.jsonl", corpus.lines), ("written.jsonl", written("written.txt")), ("field.jsonl", written("field.txt")), ("blind.jsonl", written("blind.txt")), ("unseen.jsonl", written("unseen.txt")), ("fresh.jsonl", written("fresh.txt"))]:
        with (HERE / name).open("w", encoding="utf-8") as file:
            for line in lines:
                print(json.dumps(guarded(line), ensure_ascii=False), file=file)
        hits = sum(1 for line in lines if line["hits"])
        print(f"{name}: {hits} with secrets, {len(lines) - hits} without")


main()
