import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler;

/** The broker's side of Amazon MSK's IAM: verifies the signature of a presigned URL with the secrets that the JAAS
 * options have (secret_AKID="…", session_AKID="…"). The access key id is the principal. A JWT without a signature,
 * as an identity provider's, goes to Kafka's own validator. */
public class MskTokens implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private final OAuthBearerUnsecuredValidatorCallbackHandler unsecured = new OAuthBearerUnsecuredValidatorCallbackHandler();
    private Map<String, ?> options = Map.of();

    private record Token(String value, String principalName, long lifetimeMs) implements OAuthBearerToken {
        @Override public Set<String> scope() { return Set.of(); }
        @Override public Long startTimeMs() { return null; }
    }

    @Override public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        options = entries.get(0).getOptions();
        unsecured.configure(configs, mechanism, entries);
    }

    @Override public void close() { }

    @Override public void handle(Callback[] callbacks) throws java.io.IOException, javax.security.auth.callback.UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof OAuthBearerValidatorCallback asked)) {
                continue;
            }
            if (asked.tokenValue().contains(".")) {
                unsecured.handle(new Callback[] {asked});
                continue;
            }
            try {
                asked.token(verify(asked.tokenValue()));
            } catch (Exception problem) {
                System.out.println("MskTokens: " + problem.getMessage());
                asked.error("invalid_token: " + problem.getMessage(), null, null);
            }
        }
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
    }

    private static byte[] mac(byte[] key, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String hash(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static void must(boolean fact, String otherwise) {
        if (!fact) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    private Token verify(String value) throws Exception {
        URI uri = URI.create(new String(Base64.getUrlDecoder().decode(value), StandardCharsets.UTF_8));
        Map<String, String> query = new TreeMap<>();
        for (String pair : uri.getRawQuery().split("&")) {
            String[] parts = pair.split("=", 2);
            query.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        String[] scope = query.get("X-Amz-Credential").split("/");
        String signature = query.remove("X-Amz-Signature");
        must(query.remove("User-Agent") != null, "no user agent");
        must("kafka-cluster:Connect".equals(query.get("Action")), "another action");
        must("900".equals(query.get("X-Amz-Expires")), "another life");
        must(uri.getHost().equals("kafka." + scope[2] + ".amazonaws.com"), "another host");
        must("kafka-cluster".equals(scope[3]) && uri.getScheme().equals("https"), "another service");
        Object secret = options.get("secret_" + scope[0]), session = options.get("session_" + scope[0]);
        must(secret != null, "unknown access key");
        must(session == null ? !query.containsKey("X-Amz-Security-Token")
                             : session.equals(query.get("X-Amz-Security-Token")), "another session token");
        String canonical = query.entrySet().stream().map(pair -> encode(pair.getKey()) + "=" + encode(pair.getValue()))
            .collect(Collectors.joining("&"));
        String date = query.get("X-Amz-Date");
        String day = date.substring(0, 8);
        String toSign = String.join("\n", "AWS4-HMAC-SHA256", date, String.join("/", day, scope[2], scope[3], scope[4]),
            hash(String.join("\n", "GET", "/", canonical, "host:" + uri.getHost(), "", "host", hash(""))));
        byte[] key = mac(mac(mac(mac(("AWS4" + secret).getBytes(StandardCharsets.UTF_8), day), scope[2]), scope[3]), scope[4]);
        must(HexFormat.of().formatHex(mac(key, toSign)).equals(signature), "wrong signature");
        long ends = Instant.from(DATE.parse(date)).toEpochMilli() + 900_000;
        must(ends > System.currentTimeMillis(), "expired");
        return new Token(value, scope[0], ends);
    }
}
