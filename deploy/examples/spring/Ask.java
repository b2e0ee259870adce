import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.requestreply.ReplyingKafkaTemplate;

/**
 * Asks the worker with Spring Kafka's ReplyingKafkaTemplate and prints the reply. Needs KAFKA_BOOTSTRAP_SERVERS and the
 * reply topic replies.orders, which the worker's topics.reply_allowed must have.
 */
public class Ask {
    public static void main(String[] arguments) throws Exception {
        String brokers = System.getenv("KAFKA_BOOTSTRAP_SERVERS");
        var producers = new DefaultKafkaProducerFactory<>(Map.<String, Object>of("bootstrap.servers", brokers),
            new StringSerializer(), new StringSerializer());
        var consumers = new DefaultKafkaConsumerFactory<>(Map.<String, Object>of("bootstrap.servers", brokers,
            "group.id", "orders", "isolation.level", "read_committed"),
            new StringDeserializer(), new StringDeserializer());
        var replies = new KafkaMessageListenerContainer<>(consumers, new ContainerProperties("replies.orders"));
        var template = new ReplyingKafkaTemplate<String, String, String>(producers, replies);
        template.setDefaultReplyTimeout(Duration.ofMinutes(2));
        template.start();
        if (!template.waitForAssignment(Duration.ofSeconds(30))) {
            throw new IllegalStateException("the consumer was assigned no partition of replies.orders");
        }
        String request = "{\"messages\": [[\"system\", \"You are a helpful assistant that translates English to French.\"],"
            + " [\"human\", \"I love programming.\"]]}";
        var reply = template.sendAndReceive(new ProducerRecord<>("bedrock.requests", "customer-7", request))
            .get(2, TimeUnit.MINUTES);
        System.out.println(reply.value());
        template.stop();
        template.destroy();
        producers.destroy();
    }
}
