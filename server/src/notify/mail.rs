//! Mail, handed to a server that passes it on.

use super::{
    channel::Failure,
    message::{Message, Urgency},
};
use crate::config::{MailSecurity, Notify};
use devices::Secret;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message as Letter, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};
use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};

/// How long the server may take for each of its answers.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mail {
    host: String,
    port: u16,
    security: MailSecurity,
    account: Option<(String, Secret)>,
    from: String,
    to: Vec<String>,
}

impl Mail {
    pub(super) fn of(config: &Notify) -> Option<Self> {
        Some(Self {
            host: config.mail_host.as_ref()?.as_str().to_owned(),
            port: config.mail_port,
            security: config.mail_security,
            account: config.mail_user.clone().zip(config.mail_password.clone()),
            from: config.mail_from.clone()?,
            to: config.mail_to.clone(),
        })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let letter = self.letter(message).ok_or_else(|| Failure::new("it can't be put into a mail"))?;
        let transport = self.transport(None)?;
        transport.send(letter).await.map(drop).map_err(|error| Failure::new(words(&error)))
    }

    fn letter(&self, message: &Message) -> Option<Letter> {
        let mailbox =
            |address: &String| address.parse::<Address>().ok().map(|address| Mailbox::new(None, address));
        let at = Duration::from_millis(u64::try_from(message.at.0).unwrap_or(0));
        let mut builder = Letter::builder()
            .from(mailbox(&self.from)?)
            .subject(message.title.clone())
            .date(SystemTime::UNIX_EPOCH + at);
        for address in &self.to {
            builder = builder.to(mailbox(address)?);
        }
        // Programs don't answer it with "I am on holiday".
        builder = builder.raw_header(raw("Auto-Submitted", "auto-generated"));
        if message.urgency == Urgency::Urgent {
            builder = builder.raw_header(raw("X-Priority", "1"));
        }
        builder.header(ContentType::TEXT_PLAIN).body(message.text.clone()).ok()
    }

    /// `authority` is trusted besides those of the system.
    fn transport(
        &self,
        authority: Option<lettre::transport::smtp::client::Certificate>,
    ) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
        let parameters = || {
            let mut parameters = TlsParameters::builder(self.host.clone());
            if let Some(authority) = authority {
                parameters = parameters.add_root_certificate(authority);
            }
            parameters.build_rustls().map_err(|_| Failure::new("this machine has no trusted authorities"))
        };
        let tls = match self.security {
            // Nothing is said in the open, whatever the server offers.
            MailSecurity::StartTls => Tls::Required(parameters()?),
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(ANSWER));
        if let Some((user, password)) = &self.account {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(builder.build())
    }
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A handshake that fails is an error of the connection to lettre, with data that can't be to the one below.
fn is_about_encryption(error: &Error) -> bool {
    let mut source = StdError::source(error);
    while let Some(deeper) = source {
        if deeper.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
        {
            return true;
        }
        source = deeper.source();
    }
    error.is_tls()
}

/// What went wrong, without what the server said.
fn words(error: &Error) -> String {
    if error.is_timeout() {
        return "the server doesn't answer in time".to_owned();
    }
    if is_about_encryption(error) {
        return "the way to the server can't be encrypted, or it isn't who it should be".to_owned();
    }
    if let Some(status) = error.status() {
        let said = match u16::from(status) {
            530 | 534 | 535 | 538 => "the account or its password isn't accepted",
            code if code < 500 => "not now",
            550..=559 => "an address isn't accepted",
            _ => "it doesn't take the mail",
        };
        return format!("refused with status {status}: {said}");
    }
    if error.is_client() {
        return "the server doesn't offer what is needed to sign in or to encrypt".to_owned();
    }
    "the server can't be reached, or doesn't speak as mail servers do".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lettre::transport::smtp::client::Certificate;
    use model::UtcMillis;
    use std::sync::Arc;
    use tokio::{
        io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
        net::TcpListener,
        sync::mpsc,
    };
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            ServerConfig,
            crypto::aws_lc_rs,
            pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        },
    };

    // Made for these tests, and trusted nowhere else.
    const AUTHORITY: &[u8] = include_bytes!("mail_for_tests/authority.pem");
    const CERTIFICATE: &[u8] = include_bytes!("mail_for_tests/localhost.pem");
    const KEY: &[u8] = include_bytes!("mail_for_tests/localhost.key");

    const PASSWORD: &str = "canary";

    fn acceptor() -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()],
                PrivateKeyDer::from_pem_slice(KEY).unwrap(),
            );
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }

    /// Speaks SMTP until the client leaves, or wants to encrypt: whether it does. What it says is passed on, with whether that
    /// was encrypted.
    async fn speak(
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        offers: &str,
        is_encrypted: bool,
        said: &mpsc::UnboundedSender<(bool, String)>,
    ) -> bool {
        let mut stream = BufReader::new(stream);
        let mut is_mail = false;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return false;
            }
            let line = line.trim_end();
            said.send((is_encrypted, line.to_owned())).unwrap();
            let reply = match line.split(' ').next().unwrap_or_default() {
                "." => {
                    is_mail = false;
                    "250 taken"
                }
                _ if is_mail => continue,
                "EHLO" => offers,
                "STARTTLS" => "220 go on",
                "AUTH" => "235 welcome",
                "DATA" => {
                    is_mail = true;
                    "354 go on"
                }
                _ => "250 ok",
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
            if line == "STARTTLS" {
                return true;
            }
        }
    }

    /// A server that serves one client, and what that says to it.
    async fn server() -> (u16, mpsc::UnboundedReceiver<(bool, String)>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (said, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 localhost\r\n").await.unwrap();
            if speak(&mut stream, "250-localhost\r\n250-AUTH PLAIN\r\n250 STARTTLS", false, &said).await
                && let Ok(mut stream) = acceptor().accept(stream).await
            {
                speak(&mut stream, "250-localhost\r\n250 AUTH PLAIN", true, &said).await;
            }
        });
        (port, heard)
    }

    fn mail(port: u16) -> Mail {
        Mail {
            host: "localhost".to_owned(),
            port,
            security: MailSecurity::StartTls,
            account: Some(("me".to_owned(), Secret::new(PASSWORD.to_owned()))),
            from: "miner@solar.example".to_owned(),
            to: vec!["me@solar.example".to_owned()],
        }
    }

    async fn all(mut heard: mpsc::UnboundedReceiver<(bool, String)>) -> Vec<(bool, String)> {
        let mut all = Vec::new();
        while let Some(line) = heard.recv().await {
            all.push(line);
        }
        all
    }

    #[tokio::test]
    async fn the_account_and_the_mail_go_over_an_encrypted_way() {
        let (port, heard) = server().await;
        let mail = mail(port);
        let letter = mail.letter(&Message::test("Home", UtcMillis(0))).unwrap();
        let transport = mail.transport(Some(Certificate::from_pem(AUTHORITY).unwrap())).unwrap();
        transport.send(letter).await.unwrap();
        drop(transport);
        let heard = all(heard).await;
        let open: Vec<_> = heard.iter().filter(|(is_encrypted, _)| !is_encrypted).collect();
        assert_eq!(open.len(), 2, "EHLO and STARTTLS: {open:?}");
        let encrypted = |begins: &str| heard.iter().any(|(is, line)| *is && line.starts_with(begins));
        for begins in ["AUTH PLAIN", "MAIL FROM:<miner@solar.example>", "Subject: Test from Home", "."] {
            assert!(encrypted(begins), "{begins}: {heard:?}");
        }
    }

    #[tokio::test]
    async fn nothing_is_told_to_a_server_that_nobody_vouches_for() {
        let (port, heard) = server().await;
        let failure = mail(port).send(&Message::test("Home", UtcMillis(0))).await.unwrap_err();
        assert!(failure.to_string().contains("isn't who it should be"), "{failure}");
        let heard = all(heard).await;
        assert_eq!(heard.len(), 2, "EHLO and STARTTLS: {heard:?}");
    }
}
