import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;
import org.springframework.kafka.requestreply.RequestReplyFuture;
import org.springframework.kafka.support.TopicPartitionOffset;

/**
 * A Spring application that asks through ReplyingKafkaTemplate, as its users write it: the template alone says where it
 * waits for replies, and matches them to requests by the bytes of its correlation header. Arguments: servers, request topic, reply topic, reply
 * partition (-1 = none asked for), requests. Prints one line a reply: number, partition, error code or "-", value.
 */
public class RoundTrip {
    public static void main(String[] words) throws Exception {
        String servers = words[0];
        String requests = words[1];
        String replies = words[2];
        int partition = Integer.parseInt(words[3]);
        int count = Integer.parseInt(words[4]);

        Map<String, Object> consuming = new HashMap<>();
        consuming.put("bootstrap.servers", servers);
        consuming.put("group.id", "spring-" + replies + partition);
        consuming.put("isolation.level", "read_committed");
        consuming.put("auto.offset.reset", "earliest");
        ContainerProperties container = partition < 0
            ? new ContainerProperties(replies)
            : new ContainerProperties(new TopicPartitionOffset(replies, partition));
        var template = new ReplyingKafkaTemplate<String, String, String>(
            new DefaultKafkaProducerFactory<>(Map.of("bootstrap.servers", servers),
                new StringSerializer(), new StringSerializer()),
            new KafkaMessageListenerContainer<>(
                new DefaultKafkaConsumerFactory<>(consuming, new StringDeserializer(), new StringDeserializer()),
                container));
        template.setDefaultReplyTimeout(Duration.ofSeconds(120));
        template.start();
        if (!template.waitForAssignment(Duration.ofSeconds(120))) {
            throw new IllegalStateException("no partitions for the replies");
        }
        List<RequestReplyFuture<String, String, String>> waiting = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            String value = number % 5 == 4
                ? "{\"id\":\"spring-" + number + "\",\"no_such_field\":1}"
                : "{\"id\":\"spring-" + number + "\",\"messages\":[[\"human\",\"[[id:spring-" + number + "]] hello\"]]}";
            waiting.add(template.sendAndReceive(new ProducerRecord<>(requests, "key-" + number, value)));
        }
        for (int number = 0; number < count; number++) {
            ConsumerRecord<String, String> reply = waiting.get(number).get(150, TimeUnit.SECONDS);
            Header code = reply.headers().lastHeader("bedrock-error-code");
            System.out.println(number + "\t" + reply.partition() + "\t"
                + (code == null ? "-" : new String(code.value(), StandardCharsets.UTF_8)) + "\t"
                + reply.value().replace("\n", " "));
        }
        template.stop();
        template.destroy();
        System.exit(0);
    }
}
